import { join } from 'node:path';
import { evaluateUpliftFile } from '../evaluate/uplift.command.js';
import type { BarRun } from './bar.js';

const hillstrom = (folder: string, treated: string) =>
  evaluateUpliftFile({
    csv: join(folder, 'hillstrom.csv.gz'),
    treatment: 'segment',
    treated,
    control: 'No E-Mail',
    outcome: 'visit',
    drop: 'conversion,spend',
    seed: '1',
  });

export const UPLIFT_BARS: readonly BarRun[] = [
  {
    dataset: 'hillstrom',
    task: 'uplift of the women’s mail on visits',
    evaluate: (folder) => hillstrom(folder, 'Womens E-Mail'),
    bars: [
      { metric: 'qiniPerThousand', sense: 'at-least', bar: 3.7 },
      {
        metric: 'adopted',
        sense: 'at-least',
        bar: 1,
        read: ({ details }) => ({ value: Number(details['refused'] === null) }),
      },
    ],
  },
  {
    dataset: 'hillstrom',
    task: 'uplift of the men’s mail on visits',
    evaluate: (folder) => hillstrom(folder, 'Mens E-Mail'),
    bars: [
      {
        metric: 'saysThatNoModelBeatsRandom',
        sense: 'at-least',
        bar: 1,
        read: ({ because }) => ({ value: Number(because.startsWith('no model beats random')) }),
      },
    ],
  },
];
