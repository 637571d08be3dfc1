import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Gate, Manifest, ModelCard, ModelRepository } from '@sextant/artefacts';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import { failedGates, shareOf, signedBy } from './lifecycle-rules.js';
import type { ModelVersion, Stage } from './model-version.js';
import type { Findings, ModelVersions } from './model-versions.repository.js';
import {
  planPromotion,
  planRetirement,
  planRollback,
  planStop,
  servedVersions,
  type StagePlan,
  type Standing,
} from './stage-plans.js';
import type { Intention, ServedVersions, StageState } from './stage-states.repository.js';

/** A change takes milliseconds; who has not ended it by then is taken for dead. */
const LEASE_MS = 4_000;
/** How long a change waits for another one of the same model; more than a lease. */
const WAIT_MS = 8_000;
const POLL_MS = 50;

export interface Promotion {
  tenantId: string;
  versionId: string;
  to: Stage;
  /** in (0, 1]; the policy's for SHADOW and CANARY when absent */
  share?: number | null;
  /** why failed gates are taken upon oneself, at least 10 characters */
  override?: string | null;
  /** why, kept with the version; an override is its own reason */
  reason?: string | null;
  /** who does it */
  by: string;
}

export interface Reasoned {
  tenantId: string;
  reason: string;
  by: string;
}

/**
 * Moves versions through their stages, in the model repository (which workers follow) and in the records (which people read). A
 * change is written down before its first step and struck off after its last, so that a process that dies in between leaves it to
 * the next one; two callers at once come one after the other.
 */
export class ModelLifecycle {
  constructor(
    private readonly repository: ModelRepository,
    private readonly versions: ModelVersions,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Records a published version as CANDIDATE, with what was found out about it; again changes nothing. */
  register(manifest: Manifest, card: ModelCard, findings: Findings): Promise<ModelVersion> {
    return this.versions.record(manifest, card, findings);
  }

  /**
   * Brings a version into a stage, after its files were proven. To RETIRED it is {@link stop}.
   *
   * @returns the version as it is afterwards; `blockedBy` names the failed gates that stopped it, then nothing has changed
   * @throws DomainError INVALID_INPUT, MODEL_VERSION_NOT_FOUND, MODEL_STAGE_INVALID, MODEL_CHANGING, ARTEFACT_INVALID,
   *         ARTEFACT_HASH_MISMATCH, STORE_UNAVAILABLE
   */
  async promote(promotion: Promotion): Promise<{ version: ModelVersion; blockedBy: Gate[] }> {
    const { tenantId, versionId, to, by } = promotion;
    if (to === 'RETIRED') {
      const version = await this.stop({ ...promotion, reason: promotion.override ?? 'retired by hand' });
      return { version, blockedBy: [] };
    }
    const target = await this.versions.get(tenantId, versionId);
    const failed = failedGates(target);
    const signature = signedBy({ by, override: promotion.override ?? null, failed });
    if (failed.length > 0 && signature.reason === null) return { version: target, blockedBy: failed };
    const aim = await shareOf(promotion, () => this.versions.policies.find(tenantId, target.task));
    await this.change(target, async (standing) => {
      const current = await this.versions.get(tenantId, versionId);
      const reason = signature.reason ?? promotion.reason ?? null;
      const plan = planPromotion(current, standing, aim, { ...signature, reason, at: this.clock.now() });
      if (plan) await this.prove(current);
      return plan;
    });
    return { version: await this.versions.get(tenantId, versionId), blockedBy: [] };
  }

  /** A SHADOW or CANARY gets no calls any more, a CANDIDATE never will: RETIRED. @throws as {@link promote} */
  async stop({ versionId, ...reasoned }: Reasoned & { versionId: string }): Promise<ModelVersion> {
    const { tenantId } = reasoned;
    const target = await this.versions.get(tenantId, versionId);
    await this.change(target, async (standing) =>
      planStop(await this.versions.get(tenantId, versionId), standing, this.sign(reasoned)),
    );
    return this.versions.get(tenantId, versionId);
  }

  /** Takes a model out of service: nothing of it answers any more. @returns the versions that left */
  async retire({ model, ...reasoned }: Reasoned & { model: string }): Promise<ModelVersion[]> {
    const { tenantId } = reasoned;
    let left: string[] = [];
    await this.change({ tenantId, model }, (standing) => {
      left = standing.serving.map(({ id }) => id);
      return planRetirement(standing, this.sign(reasoned));
    });
    return this.versions.findMany(tenantId, left);
  }

  /**
   * The version that was live before is live again, after its files were proven.
   *
   * @throws DomainError MODEL_STAGE_INVALID when there is none, and as {@link promote}
   */
  async rollback({ model, ...reasoned }: Reasoned & { model: string }): Promise<ModelVersion> {
    const { tenantId } = reasoned;
    let backTo = '';
    await this.change({ tenantId, model }, async (standing) => {
      const former = await this.formerVersion({ tenantId, model }, standing);
      backTo = former.id;
      await this.prove(former);
      return planRollback(former, standing, this.sign(reasoned));
    });
    return this.versions.get(tenantId, backTo);
  }

  /** Has workers keep a version loaded for those who ask for it by number, whatever serves; or no longer. @throws as {@link promote} */
  async keepLoaded(
    { tenantId, model }: { tenantId: string; model: string },
    version: number,
    isKept: boolean,
  ): Promise<void> {
    const { states } = this.versions;
    for (;;) {
      const state = await this.settled(tenantId, model);
      const served = await this.served(model);
      const plan = { before: served, after: served, moves: [], formerLive: [...state.formerLive] };
      const intention: Intention = { ...this.ownership(), ...plan, direction: 'DO' };
      if (!(await states.begin(state, intention))) continue;
      try {
        const { serving } = await this.repository.readEntry(model);
        const others = serving.versions.filter((each) => each !== version);
        await this.repository.setServing(model, {
          ...serving,
          versions: isKept ? [...others, version] : others,
        });
      } finally {
        await states.finish(tenantId, model, intention);
      }
      return;
    }
  }

  /**
   * Finishes or undoes the changes that a dead process left half done; waits for those that are on their way. Call it when a
   * process starts that changes stages.
   */
  async recover(): Promise<void> {
    for (const { tenantId, model } of await this.versions.states.listUnfinished()) {
      await this.settled(tenantId, model);
    }
  }

  private sign({ by, reason }: Reasoned) {
    return { by, reason, at: this.clock.now(), overridden: [] };
  }

  private async formerVersion(
    { tenantId, model }: { tenantId: string; model: string },
    { serving, formerLive }: Standing,
  ): Promise<ModelVersion> {
    const wasLive = ({ stage, history }: ModelVersion): boolean =>
      stage === 'RETIRED' && (history.length === 0 || history.some(({ to }) => to === 'LIVE'));
    const known = await this.versions.findMany(tenantId, formerLive);
    const byId = new Map(known.map((version) => [version.id, version]));
    const former = formerLive.toReversed().flatMap((id) => byId.get(id) ?? []);
    const live = serving.find(({ stage }) => stage === 'LIVE');
    // Of before the order was kept: every recorded version had been live.
    const older = (await this.versions.list(tenantId, model, 50)).filter(
      ({ version, history }) => history.length === 0 && version < (live?.version ?? Infinity),
    );
    const found = [...former, ...older].find(wasLive);
    if (found) return found;
    const message = `${model} has no version that was live before${live ? ` ${live.id}` : ''}: promote one of its versions`;
    throw new DomainError('MODEL_STAGE_INVALID', message, { path: 'modelId' });
  }

  /** @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH naming the file */
  private async prove({ id, model, version, onnxSha256 }: ModelVersion): Promise<void> {
    const { manifest } = await this.repository.readVersion(model, version);
    const described = manifest?.files.find(({ path }) => path === 'model.onnx')?.sha256;
    if (described === onnxSha256) return;
    const message = `${id}: model.onnx in ${this.repository.location} is not the file that was recorded (sha256 ${onnxSha256}, now ${described ?? 'none'})`;
    throw new DomainError('ARTEFACT_HASH_MISMATCH', message);
  }

  /** Decides anew whenever somebody else was faster. */
  private async change(
    { tenantId, model }: { tenantId: string; model: string },
    decide: (standing: Standing) => Promise<StagePlan | null> | StagePlan | null,
  ): Promise<void> {
    for (;;) {
      const state = await this.settled(tenantId, model);
      const serving = await this.versions.listServing(tenantId, model);
      const plan = await decide({ serving, formerLive: state.formerLive });
      if (plan === null) return;
      const before = await this.served(model);
      const intention: Intention = { ...this.ownership(), ...plan, direction: 'DO', before };
      if (await this.versions.states.begin(state, intention)) {
        await this.carryOut(state, intention);
        return;
      }
    }
  }

  private ownership(): { token: string; until: Date } {
    return { token: randomUUID(), until: new Date(this.clock.now().getTime() + LEASE_MS) };
  }

  /** The model with no change on its way. @throws DomainError MODEL_CHANGING when one does not end in time */
  private async settled(tenantId: string, model: string): Promise<StageState> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const state = await this.versions.states.read(tenantId, model);
      if (state.intention === null) return state;
      const owner = this.ownership();
      if (await this.versions.states.takeOver(state, owner.token, owner.until)) {
        // Read again: its owner may have turned back meanwhile.
        const { intention } = await this.versions.states.read(tenantId, model);
        if (intention?.token === owner.token) await this.carryOut(state, intention);
        continue;
      }
      if (performance.now() > deadline) {
        const message = `another change of ${model} is on its way and does not end: try again in some seconds`;
        throw new DomainError('MODEL_CHANGING', message, { retryAfterMs: LEASE_MS });
      }
      await sleep(POLL_MS);
    }
  }

  private async carryOut(state: StageState, intention: Intention): Promise<void> {
    const { tenantId, model } = state;
    const { states } = this.versions;
    const isDone = await this.apply(state, intention).catch(async (error: unknown) => {
      await this.undo(state, intention);
      throw error;
    });
    if (isDone && (await states.finish(tenantId, model, intention))) return;
    await this.restore(tenantId, model);
  }

  /** Puts the repository into the wanted state, whichever it is in. @returns false when the change belongs to somebody else by now */
  private async apply({ tenantId, model }: StageState, intention: Intention): Promise<boolean> {
    const { token, direction, before, after } = intention;
    const wanted = direction === 'DO' ? after : before;
    const isHeld = (): Promise<boolean> => this.versions.states.isHeld(tenantId, model, token);
    const { live, serving } = await this.repository.readEntry(model);
    if (live !== wanted.live) {
      if (!(await isHeld())) return false;
      await this.repository.setLiveVersion(model, wanted.live);
    }
    const { canary, shadow, ...rest } = serving;
    const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b);
    if (isSame(canary, wanted.canary) && isSame(shadow, wanted.shadow)) return true;
    if (!(await isHeld())) return false;
    await this.repository.setServing(model, {
      ...rest,
      ...(wanted.canary && { canary: wanted.canary }),
      ...(wanted.shadow && { shadow: wanted.shadow }),
    });
    return true;
  }

  /** The repository refused: what it said before is put back, at once or by whoever comes next. */
  private async undo(state: StageState, intention: Intention): Promise<void> {
    const { tenantId, model } = state;
    const { states } = this.versions;
    const back: Intention = { ...intention, direction: 'UNDO' };
    try {
      if (!(await states.turnBack(tenantId, model, intention.token))) return;
      if (await this.apply(state, back)) await states.finish(tenantId, model, back);
    } catch {
      // The intention is still there; the caller hears why the change itself failed.
      await states.letGo(tenantId, model, intention.token).catch(() => undefined);
    }
  }

  /** Somebody took the change over and ended it while this process stood still: what it wrote late is set right. */
  private async restore(tenantId: string, model: string): Promise<void> {
    await this.change({ tenantId, model }, async ({ serving, formerLive }) => {
      const recorded = servedVersions(serving);
      const isRight = JSON.stringify(recorded) === JSON.stringify(await this.served(model));
      return isRight ? null : { after: recorded, moves: [], formerLive: [...formerLive] };
    });
  }

  private async served(model: string): Promise<ServedVersions> {
    const { live, serving } = await this.repository.readEntry(model);
    return { live, canary: serving.canary ?? null, shadow: serving.shadow ?? null };
  }
}
