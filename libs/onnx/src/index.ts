export { type LinearModel, writeLinearModel } from './linear-model.js';
export { writeMatrixProduct } from './matrix-product.js';
export type { OnnxModel, OnnxTensor } from './onnx-model.js';
export type { OutputHead } from './output-head.js';
export { writeRecommender } from './recommender.js';
export { roundDownToFloat32 } from './round-down.js';
export { type SessionTensors, writeSessionModel } from './session-model.js';
export { writeTreeModel } from './tree-model.js';
