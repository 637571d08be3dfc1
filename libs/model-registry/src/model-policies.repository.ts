import type { Task } from '@sextant/artefacts';
import type { Collection, Db } from 'mongodb';

/** What a person does about somebody whose score lies in a band. */
export interface PlaybookEntry {
  action: string;
  /** a team, not a person */
  owner: string;
  /** ISO 8601 duration; null: whenever */
  dueWithin: string | null;
}

/** When a model is trained again by itself; nothing set, never. */
export interface RetrainPolicy {
  everyHours: number | null;
  onDrift: boolean;
  onPerformance: boolean;
  /** events of the tenant since the live version was trained */
  onNewEvents: number | null;
}

/** How a version that passed its gates comes into service. */
export interface RolloutPolicy {
  /** MANUAL: a person promotes; GATED: by itself, through the stages whose minutes are not 0 */
  mode: 'MANUAL' | 'GATED';
  shadowMinutes: number;
  /** share of the calls in [0, 1] */
  shadowShare: number;
  canaryMinutes: number;
  canaryShare: number;
}

/** How one tenant wants one task's model kept. */
export interface ModelPolicy {
  tenantId: string;
  task: Task;
  /** traits of customers that must not decide: left out of training, used to audit it */
  protectedTraits: string[];
  retrain: RetrainPolicy;
  rollout: RolloutPolicy;
  /** of training in 24 hours; null: no limit */
  computeMinutesPerDay: number | null;
  /** a live model that answered nobody for so many days is retired; null: never */
  retireUnreadDays: number | null;
  /** by band; null: the product's own */
  playbooks: Record<string, PlaybookEntry> | null;
}

type ModelPolicyDocument = ModelPolicy & { _id: string };

export function defaultPolicy(tenantId: string, task: Task): ModelPolicy {
  return {
    tenantId,
    task,
    protectedTraits: [],
    retrain: { everyHours: null, onDrift: false, onPerformance: false, onNewEvents: null },
    rollout: { mode: 'GATED', shadowMinutes: 0, shadowShare: 0.1, canaryMinutes: 0, canaryShare: 0.05 },
    computeMinutesPerDay: null,
    retireUnreadDays: null,
    playbooks: null,
  };
}

/** One policy a tenant and task; written by the prediction subgraph, followed by the trainer. */
export class ModelPolicies {
  private readonly policies: Collection<ModelPolicyDocument>;

  constructor(db: Db) {
    this.policies = db.collection('model_policies');
  }

  /** The default where nobody set one. */
  async find(tenantId: string, task: Task): Promise<ModelPolicy> {
    const found = await this.policies.findOne({ _id: keyOf(tenantId, task), tenantId });
    return found ? toPolicy(found) : defaultPolicy(tenantId, task);
  }

  async save(policy: ModelPolicy): Promise<void> {
    const { tenantId, task } = policy;
    await this.policies.replaceOne({ _id: keyOf(tenantId, task), tenantId }, policy, { upsert: true });
  }

  /** Sets the given fields and leaves the others, in one step. @returns the whole policy as it is then */
  async change(
    tenantId: string,
    task: Task,
    changes: Partial<Omit<ModelPolicy, 'tenantId' | 'task'>>,
  ): Promise<ModelPolicy> {
    const changed = await this.policies.findOneAndUpdate(
      { _id: keyOf(tenantId, task), tenantId },
      { $set: { task, ...changes } },
      { upsert: true, returnDocument: 'after' },
    );
    return changed ? toPolicy(changed) : defaultPolicy(tenantId, task);
  }

  /** Every policy that was set, of all tenants: for the trainer's own rounds. */
  async listAll(): Promise<ModelPolicy[]> {
    return (await this.policies.find().sort({ _id: 1 }).toArray()).map(toPolicy);
  }
}

function keyOf(tenantId: string, task: Task): string {
  return `${tenantId}.${task}`;
}

function toPolicy({ _id, ...policy }: ModelPolicyDocument): ModelPolicy {
  return { ...defaultPolicy(policy.tenantId, policy.task), ...policy };
}
