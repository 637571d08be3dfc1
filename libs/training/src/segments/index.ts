export { evaluateSegments, type SegmentRows } from './evaluate-segments.js';
export { rfmRows, type Purchase } from './rfm-rows.js';
