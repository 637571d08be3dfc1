import type { Task } from '@sextant/artefacts';
import { type Clock, systemClock } from '@sextant/domain';
import type { JobFailure, ModelPolicies, TrainingHistory } from '@sextant/model-registry';

/** What is left of a tenant's training minutes for one task. */
export interface BudgetLeft {
  minutes: number;
  limit: number;
}

/**
 * Training minutes of a tenant in the last 24 hours, all its tasks together, against the limit that the policy of the task sets: a task
 * with a smaller limit leaves room for one with a larger.
 */
export class ComputeBudget {
  constructor(
    private readonly policies: Pick<ModelPolicies, 'find'>,
    private readonly history: Pick<TrainingHistory, 'usedMinutes'>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** @returns null where the policy sets no limit */
  async left(tenantId: string, task: Task): Promise<BudgetLeft | null> {
    const { computeMinutesPerDay: limit } = await this.policies.find(tenantId, task);
    if (limit === null) return null;
    const used = await this.history.usedMinutes(tenantId, this.clock.now());
    return { minutes: Math.max(0, limit - used), limit };
  }
}

/** Why a job is not begun, or ended while it runs. */
export function budgetUsed({ limit }: BudgetLeft, task: Task): JobFailure {
  return {
    code: 'COMPUTE_BUDGET_EXHAUSTED',
    message: `the ${limit} training minutes that the policy of ${task} allows the tenant in 24 hours are used: ask again later, or raise computeMinutesPerDay`,
  };
}
