import type { Collection, Db } from 'mongodb';
import type { HeldTraining } from './training-triggers.js';

/** What is remembered of one model between two looks. */
export interface ContinuousState {
  tenantId: string;
  /** `<tenant>.<task>` */
  model: string;
  /** events of the tenant when the training at that instant began */
  eventBase: { at: Date; events: number } | null;
  /** when somebody was last answered by it */
  lastReadAt: Date | null;
  /** a training that is due and waits */
  held: (HeldTraining & { since: Date }) | null;
}

type ContinuousStateDocument = Omit<ContinuousState, 'model'> & { _id: string };

/** Of each model that has a policy; written by the trainer that follows the policies. */
export class ContinuousStates {
  private readonly states: Collection<ContinuousStateDocument>;

  constructor(db: Db) {
    this.states = db.collection('continuous_states');
  }

  async find(tenantId: string, model: string): Promise<ContinuousState> {
    const found = await this.states.findOne({ _id: model, tenantId });
    const { _id, ...rest } = found ?? { _id: model };
    return { eventBase: null, lastReadAt: null, held: null, tenantId, model, ...rest };
  }

  async change(
    { tenantId, model }: { tenantId: string; model: string },
    changes: Partial<Pick<ContinuousState, 'eventBase' | 'lastReadAt' | 'held'>>,
  ): Promise<void> {
    await this.states.updateOne({ _id: model, tenantId }, { $set: changes }, { upsert: true });
  }
}
