import { MONITOR_FILE, modelName } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { AssignmentExample } from '@sextant/features';
import { openLightGbm } from '@sextant/lightgbm';
import { monitorFileOf } from '@sextant/training/monitor';
import { lightGbmBase, trainActions, upliftLearners } from '@sextant/training/uplift';
import type { TrainedModel } from '../publisher.js';

export interface UpliftTrainingInput {
  tenantId: string;
  /** of all campaigns, in any order */
  examples: readonly AssignmentExample[];
  horizonDays: number;
  dataSha256: string;
  notes?: readonly string[];
}

export interface UpliftTrainingOptions {
  seed: number;
  now: Date;
  /** Path of the LightGBM library; null tries the linear learners alone. */
  lightGbm: string | null;
  onProgress: (share: number, step: string) => void;
}

/**
 * What the actions of the tenant's experiments change, for the goal that most assignments name.
 *
 * @throws DomainError DATA_INSUFFICIENT without assignments or without a control group
 */
export async function trainUpliftModel(
  { tenantId, examples, horizonDays, dataSha256, notes = [] }: UpliftTrainingInput,
  { seed, now, lightGbm: library, onProgress }: UpliftTrainingOptions,
): Promise<TrainedModel> {
  const goal = commonestGoal(examples);
  if (goal === null)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `no campaign_assigned event is older than ${horizonDays} days: run a randomised experiment with a control group, and send its assignments`,
    );
  const own = ofGoal(examples, goal);
  const opened = await openLightGbm(library, 'linear learners alone were tried');
  const { lightGbm } = opened;
  try {
    const learners = upliftLearners(lightGbm === null ? null : lightGbmBase({ lightGbm, seed }));
    const trained = await trainActions({ examples: own, goal, horizonDays, learners, seed, onProgress });
    const { bytes, ...onnx } = trained.onnx;
    const { spec, metrics, baselineMetrics, card, evidence } = trained;
    return {
      draft: {
        model: modelName(tenantId, 'uplift'),
        tenantId,
        trainedAt: now.toISOString(),
        ...{ seed, dataSha256, dataRows: own.length },
        onnx,
        metrics,
        baselineMetrics,
        warmUpBatchSizes: [1, 16, 64],
        monitorFile: MONITOR_FILE,
        spec,
      },
      files: new Map([['model.onnx', bytes], monitorFileOf(trained.monitoring)]),
      card: { ...card, warnings: [...notes, ...opened.notes, ...card.warnings] },
      evidence,
    };
  } finally {
    await lightGbm?.close();
  }
}

function commonestGoal(examples: readonly AssignmentExample[]): string | null {
  const counts = new Map<string, number>();
  for (const { goal } of examples) counts.set(goal, (counts.get(goal) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0] ?? null;
}

/** In order of time, so that equal events give an equal model whatever order they were read in. */
function ofGoal(examples: readonly AssignmentExample[], goal: string): AssignmentExample[] {
  return examples
    .filter((example) => example.goal === goal)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a.customerId < b.customerId ? -1 : 1));
}
