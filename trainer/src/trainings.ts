import type { Task } from '@sextant/artefacts';
import type { BehaviourTask } from '@sextant/features';
import { trainLead } from './lead/train-lead.js';
import { trainLifetime } from './lifetime/train-lifetime.js';
import { trainPrice } from './price/train-price.js';
import type { TrainedModel } from './publisher.js';
import { trainRecommend } from './recommend/train-recommend.js';
import { trainScore } from './score-task/train-score.js';
import { trainSession } from './session/train-session.js';
import type { TrainingData } from './training-data.js';
import { trainUpliftModel } from './uplift/train-uplift.js';

/** What every training is given. */
export interface TrainingInput {
  tenantId: string;
  data: TrainingData;
  options: { seed: number; now: Date; onProgress: (share: number, step: string) => void };
  /** Path of the LightGBM library; null where there is none. */
  lightGbm: () => Promise<string | null>;
}

export type Training = (input: TrainingInput) => Promise<TrainedModel>;

/** How long a lead may take to be won before it counts as lost. */
const LEAD_HORIZON_DAYS = 30;
/** Within how many days of a campaign an order counts as its outcome. */
const UPLIFT_HORIZON_DAYS = 14;
/** What is looked ahead, and how many past instants of a customer are learnt from. */
const BEHAVIOUR = {
  churn: { horizonDays: 30, snapshots: 4 },
  purchase: { horizonDays: 7, snapshots: 4 },
} as const satisfies Record<BehaviourTask, { horizonDays: number; snapshots: number }>;

/** From the events of a tenant to a model, for each task. */
export const TRAININGS: Record<Task, Training> = {
  recommend: async ({ tenantId, data, options }) =>
    trainRecommend({ tenantId, ...(await data.interactions()) }, options),
  session: async ({ tenantId, data, options }) =>
    trainSession({ tenantId, ...(await data.sessions()) }, options),
  price: async ({ tenantId, data, options, lightGbm }) =>
    trainPrice({ tenantId, ...(await data.demand()) }, { ...options, lightGbm: await lightGbm() }),
  lead: async ({ tenantId, data, options, lightGbm }) =>
    trainLead(
      { tenantId, horizonDays: LEAD_HORIZON_DAYS, ...(await data.leads(LEAD_HORIZON_DAYS)) },
      { ...options, lightGbm: await lightGbm() },
    ),
  churn: (input) => trainBehaviour('churn', input),
  purchase: (input) => trainBehaviour('purchase', input),
  lifetime: async ({ tenantId, data, options }) =>
    trainLifetime({ tenantId, ...(await data.purchases()) }, options),
  uplift: async ({ tenantId, data, options, lightGbm }) =>
    trainUpliftModel(
      {
        tenantId,
        horizonDays: UPLIFT_HORIZON_DAYS,
        ...(await data.assignments({ horizonDays: UPLIFT_HORIZON_DAYS, seed: options.seed })),
      },
      { ...options, lightGbm: await lightGbm() },
    ),
};

async function trainBehaviour(
  task: BehaviourTask,
  { tenantId, data, options, lightGbm }: TrainingInput,
): Promise<TrainedModel> {
  const { horizonDays } = BEHAVIOUR[task];
  const snapshots = await data.behaviour(task, { ...BEHAVIOUR[task], seed: options.seed });
  return trainScore(
    { tenantId, task, horizonDays, ...snapshots },
    { ...options, lightGbm: await lightGbm() },
  );
}
