import { join } from 'node:path';
import { evaluateSessionsFile } from '../evaluate/sessions.command.js';
import type { BarRun } from './bar.js';

export const SESSION_BARS: readonly BarRun[] = [
  {
    dataset: 'diginetica_sessions',
    task: 'next item in session',
    evaluate: (folder) =>
      evaluateSessionsFile({
        csv: join(folder, 'item_views.csv.gz'),
        session: 'session_id',
        item: 'item_id',
        time: 'timeframe',
        date: 'eventdate',
        testDays: '7',
        seed: '1',
      }),
    bars: [
      { metric: 'hr@20', sense: 'at-least', bar: 0.48 },
      { metric: 'mrr@20', sense: 'at-least', bar: 0.24 },
    ],
  },
];
