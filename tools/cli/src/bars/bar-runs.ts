import type { BarRun } from './bar.js';
import { PRICE_BARS } from './price.bars.js';
import { RECOMMEND_BARS } from './recommend.bars.js';
import { LIFETIME_BARS } from './lifetime.bars.js';
import { SEGMENT_BARS } from './segments.bars.js';
import { SESSION_BARS } from './sessions.bars.js';
import { UPLIFT_BARS } from './uplift.bars.js';
import { TABLE_BARS } from './table.bars.js';

/** Every row of the bars that is evaluated here, in the order of the printed table. */
export const BAR_RUNS: readonly BarRun[] = [
  ...LIFETIME_BARS,
  ...TABLE_BARS,
  ...RECOMMEND_BARS,
  ...SESSION_BARS,
  ...UPLIFT_BARS,
  ...PRICE_BARS,
  ...SEGMENT_BARS,
];
