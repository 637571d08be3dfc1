import type { ScoreTask } from '@sextant/artefacts';
import type { ModelPolicies } from '@sextant/model-registry';
import { LRUCache } from 'lru-cache';
import { within } from '../customer/customer-features.service.js';
import { BANDS_OF_TASK, type Band, type Playbook } from '../score/playbook.js';

/** By band; null: the tenant set none, and the product's own hold. */
export type OwnPlaybooks = Readonly<Partial<Record<Band, Playbook>>> | null;

const FRESH_MS = 10_000;
const ENTRIES = 10_000;
/** What a score may wait for the very first look; every later one happens behind its back. */
const FIRST_LOOK_MS = 100;

interface Known {
  playbooks: OwnPlaybooks;
  readAt: number;
}

/** The playbooks that each tenant set: read at most every ten seconds, kept when the store goes away. */
export class TenantPlaybooks {
  private readonly known = new LRUCache<string, Known>({ max: ENTRIES });
  private readonly reading = new Map<string, Promise<OwnPlaybooks>>();

  constructor(
    private readonly policies: Pick<ModelPolicies, 'find'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Never rejects: a score without its tenant's own playbook is better than none. */
  async of(tenantId: string, task: ScoreTask): Promise<OwnPlaybooks> {
    const key = keyOf(tenantId, task);
    const known = this.known.get(key);
    if (known && this.now() - known.readAt < FRESH_MS) return known.playbooks;
    const reading = this.read(key, tenantId, task);
    return known ? known.playbooks : within(FIRST_LOOK_MS, reading).catch(() => null);
  }

  /** What was read is out of date: the policy was just set here. */
  forget(tenantId: string, task: ScoreTask): void {
    this.known.delete(keyOf(tenantId, task));
    this.reading.delete(keyOf(tenantId, task));
  }

  private read(key: string, tenantId: string, task: ScoreTask): Promise<OwnPlaybooks> {
    const running = this.reading.get(key);
    if (running) return running;
    const reading = this.policies.find(tenantId, task).then(({ playbooks }) => playbooksOf(task, playbooks));
    this.reading.set(key, reading);
    reading
      .then(
        (playbooks) => {
          if (this.reading.get(key) === reading) this.known.set(key, { playbooks, readAt: this.now() });
        },
        // the store's own alarms tell of it; the next score asks again
        () => undefined,
      )
      .finally(() => {
        if (this.reading.get(key) === reading) this.reading.delete(key);
      });
    return reading;
  }
}

/** Bands that the task has; a policy of another release may name others. */
function playbooksOf(task: ScoreTask, stored: Readonly<Record<string, Playbook>> | null): OwnPlaybooks {
  if (stored === null) return null;
  const entries = (BANDS_OF_TASK[task] ?? []).flatMap((band) => {
    const playbook = stored[band];
    return playbook ? [[band, playbook] as const] : [];
  });
  return Object.fromEntries(entries);
}

function keyOf(tenantId: string, task: ScoreTask): string {
  return `${tenantId}.${task}`;
}
