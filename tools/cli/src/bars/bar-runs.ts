import type { BarRun } from './bar.js';
import { SESSION_BARS } from './sessions.bars.js';

/** Every row of the bars that is evaluated here, in the order of the printed table. */
export const BAR_RUNS: readonly BarRun[] = [...SESSION_BARS];
