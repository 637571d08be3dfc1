import { type Clock, systemClock } from '@sextant/domain';
import { type Collection, type Db, MongoServerError } from 'mongodb';
import type { ModelVersion, Stage, StageChange } from './model-version.js';

const DUPLICATE_KEY = 11_000;
/** Steps of one version that are kept. */
const MAX_HISTORY = 200;
/** How far back a rollback can go, step by step. */
const MAX_FORMER_LIVE = 50;

/** A version that gets a share of the calls. */
export interface SharedVersion {
  version: number;
  share: number;
}

/** What the model repository says of who serves. */
export interface ServedVersions {
  live: number | null;
  canary: SharedVersion | null;
  shadow: SharedVersion | null;
}

/** What becomes of one version. */
export interface StageMove {
  versionId: string;
  stage: Stage;
  share: number | null;
  change: StageChange;
}

/** A change on its way through two stores: written before the first step, gone after the last. */
export interface Intention {
  /** who carries it out; another one takes it over when `until` has passed */
  token: string;
  until: Date;
  /** UNDO: the repository refused, and what it said before is put back */
  direction: 'DO' | 'UNDO';
  before: ServedVersions;
  after: ServedVersions;
  moves: StageMove[];
  /** of the state once the change is done */
  formerLive: string[];
}

/** Of one model: which change is on its way, and the versions that were live before, oldest first. */
export interface StageState {
  tenantId: string;
  model: string;
  /** counts the changes; 0 for a model that never had one */
  revision: number;
  formerLive: string[];
  intention: Intention | null;
}

type StageStateDocument = Omit<StageState, 'model'> & { _id: string };

/** One document a model, changed only by compare-and-set: the log by which a change that a crash cut in two is finished or undone. */
export class StageStates {
  private readonly states: Collection<StageStateDocument>;
  private readonly versions: Collection<Pick<ModelVersion, 'tenantId' | 'history'> & { _id: string }>;

  constructor(
    private readonly db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.states = db.collection('model_stage_states');
    this.versions = db.collection('model_versions');
  }

  async ensureIndexes(): Promise<void> {
    await this.states.createIndexes([
      {
        key: { 'intention.until': 1 },
        name: 'unfinished_changes',
        partialFilterExpression: { 'intention.until': { $exists: true } },
      },
    ]);
  }

  async read(tenantId: string, model: string): Promise<StageState> {
    const found = await this.states.findOne({ _id: model, tenantId });
    return found ? toState(found) : { tenantId, model, revision: 0, formerLive: [], intention: null };
  }

  /** Changes on their way, of all tenants. */
  async listUnfinished(): Promise<StageState[]> {
    return (await this.states.find({ 'intention.until': { $exists: true } }).toArray()).map(toState);
  }

  /** @returns false when the model has changed since the state was read */
  async begin({ tenantId, model, revision }: StageState, intention: Intention): Promise<boolean> {
    if (revision === 0) {
      const first = { _id: model, tenantId, revision: 1, formerLive: [], intention };
      return this.states.insertOne(first).then(
        () => true,
        (error: unknown) => {
          if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
          throw error;
        },
      );
    }
    const outcome = await this.states.updateOne(
      { _id: model, tenantId, revision, intention: null },
      { $set: { intention }, $inc: { revision: 1 } },
    );
    return outcome.modifiedCount === 1;
  }

  /** Takes up a change whose owner let its time pass. @returns false when it is not this one's any more, or its owner lives */
  async takeOver({ tenantId, model, intention }: StageState, token: string, until: Date): Promise<boolean> {
    if (intention === null) return false;
    const outcome = await this.states.updateOne(
      {
        _id: model,
        tenantId,
        'intention.token': intention.token,
        'intention.until': { $lte: this.clock.now() },
      },
      { $set: { 'intention.token': token, 'intention.until': until }, $inc: { revision: 1 } },
    );
    return outcome.modifiedCount === 1;
  }

  /** From here on the change is undone, whoever goes on with it. @returns false when it belongs to somebody else by now */
  async turnBack(tenantId: string, model: string, token: string): Promise<boolean> {
    const outcome = await this.states.updateOne(
      { _id: model, tenantId, 'intention.token': token },
      { $set: { 'intention.direction': 'UNDO' } },
    );
    return outcome.matchedCount === 1;
  }

  /** Lets somebody else go on at once. */
  async letGo(tenantId: string, model: string, token: string): Promise<void> {
    await this.states.updateOne(
      { _id: model, tenantId, 'intention.token': token },
      { $set: { 'intention.until': new Date(0) } },
    );
  }

  async isHeld(tenantId: string, model: string, token: string): Promise<boolean> {
    return (await this.states.countDocuments({ _id: model, tenantId, 'intention.token': token })) === 1;
  }

  /** Records what the repository says by now, all of it or nothing. @returns false when the change belongs to somebody else by now */
  async finish(tenantId: string, model: string, intention: Intention): Promise<boolean> {
    const { token, direction, moves, formerLive } = intention;
    const isDone = direction === 'DO';
    return this.db.client.withSession((session) =>
      session.withTransaction(async () => {
        const outcome = await this.states.updateOne(
          { _id: model, tenantId, 'intention.token': token, 'intention.direction': direction },
          { $set: { intention: null, ...(isDone && { formerLive: formerLive.slice(-MAX_FORMER_LIVE) }) } },
          { session },
        );
        if (outcome.matchedCount === 0) return false;
        for (const { versionId, stage, share, change } of isDone ? moves : []) {
          await this.versions.updateOne(
            { _id: versionId, tenantId },
            { $set: { stage, share }, $push: { history: { $each: [change], $slice: -MAX_HISTORY } } },
            { session },
          );
        }
        return true;
      }),
    );
  }
}

function toState({ _id, ...state }: StageStateDocument): StageState {
  return { model: _id, ...state };
}
