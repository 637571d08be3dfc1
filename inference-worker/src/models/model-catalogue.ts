import { DomainError } from '@sextant/domain';
import type { UnloadReason } from '../operations/model-metrics.js';
import type { ServedModel } from './served-model.js';
import { shown } from '../transport/shown.js';
import { placeOf } from './traffic-share.js';
import type { VersionSlot } from './version-slot.js';

export interface Refusal {
  version: number;
  reason: string;
  /** epoch milliseconds */
  at: number;
}

/** A version that takes a share in [0, 1] of the calls. */
export interface TrafficShare {
  version: string;
  share: number;
}

/** Which version answers a call that names none, or names an alias. */
export interface Routing {
  /** null: no version is live */
  live: string | null;
  aliases: ReadonlyMap<string, string>;
  canary: TrafficShare | null;
  shadow: TrafficShare | null;
}

/** What a call asks for. */
export interface WantedVersion {
  model: string;
  /** a number, an alias, or empty: live or canary */
  version: string;
  /** calls of one key find the same version while a canary is out; empty: chance decides */
  routingKey?: string;
  /** a version that is not served may be opened for the call; see {@link OnDemandVersions} */
  mayOpen?: boolean;
}

interface ModelEntry {
  routing: Routing;
  slots: Map<string, VersionSlot>;
  /** by version */
  refusals: Map<number, Refusal>;
}

/** The versions that calls may reach. One that was replaced lives on until the calls that began with it are done. */
export class ModelCatalogue {
  /** whether any model has a shadow: what a call asks before it looks for its own */
  hasShadows = false;
  private readonly models = new Map<string, ModelEntry>();

  /** Every version in memory, by model and version. */
  list(): ServedModel[] {
    return this.slots().flatMap(({ served }) => served ?? []);
  }

  /** Every version, also those that the next call loads. */
  slots(): VersionSlot[] {
    return [...this.models.values()].flatMap(({ slots }) => [...slots.values()]);
  }

  slotsOf(model: string): VersionSlot[] {
    return [...(this.models.get(model)?.slots.values() ?? [])];
  }

  /** A version by its number. */
  slotOf(model: string, version: string): VersionSlot | undefined {
    return this.models.get(model)?.slots.get(version);
  }

  /** Numbers of a model's versions that calls can reach, ascending. */
  versionsOf(model: string): string[] {
    return this.slotsOf(model)
      .map(({ version }) => version)
      .sort((a, b) => Number(a) - Number(b));
  }

  names(): string[] {
    return [...this.models.keys()];
  }

  routingOf(model: string): Routing | undefined {
    return this.models.get(model)?.routing;
  }

  /** @param version  a number or an alias; empty: the live one */
  findSlot(model: string, version = ''): VersionSlot | undefined {
    const entry = this.models.get(model);
    if (!entry) return undefined;
    const { live, aliases } = entry.routing;
    const wanted = version === '' ? live : (aliases.get(version) ?? version);
    return wanted === null ? undefined : entry.slots.get(wanted);
  }

  /** A version in memory; see {@link findSlot}. */
  find(model: string, version = ''): ServedModel | undefined {
    return this.findSlot(model, version)?.served ?? undefined;
  }

  /** @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND */
  get(model: string, version = ''): VersionSlot {
    return this.route({ model, version });
  }

  /**
   * The version that answers a call.
   *
   * @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
   */
  route(wanted: WantedVersion): VersionSlot {
    const entry = this.models.get(wanted.model);
    const slot = entry && (wanted.version === '' ? chosen(entry, wanted) : named(entry, wanted.version));
    return slot ?? notServed(wanted, entry);
  }

  /** Puts a version where calls find it; the slot before is retired as soon as nobody uses it. */
  put(slot: VersionSlot): void {
    const entry = this.entry(slot.model);
    const before = entry.slots.get(slot.version);
    slot.isCanary = slot.version === entry.routing.canary?.version;
    entry.slots.set(slot.version, slot);
    entry.refusals.delete(Number(slot.version));
    before?.retire('replaced');
  }

  /** Moves the traffic of a model in one step. */
  setRouting(model: string, routing: Routing): void {
    const entry = this.entry(model);
    entry.routing = routing;
    this.hasShadows = [...this.models.values()].some((each) => each.routing.shadow !== null);
    for (const slot of entry.slots.values()) slot.isCanary = slot.version === routing.canary?.version;
  }

  /** Retires the versions of a model that are not among `kept`. */
  retain(model: string, kept: ReadonlySet<string>, reason: UnloadReason): void {
    const entry = this.models.get(model);
    const gone = [...(entry?.slots.values() ?? [])].filter(({ version }) => !kept.has(version));
    for (const slot of gone) {
      entry?.slots.delete(slot.version);
      slot.retire(reason);
    }
  }

  /** Forgets a model and what was refused of it. */
  remove(model: string, reason: UnloadReason): void {
    this.retain(model, new Set(), reason);
    this.models.delete(model);
  }

  refuse(model: string, refusal: Refusal): void {
    this.entry(model).refusals.set(refusal.version, refusal);
  }

  findRefusal(model: string, version: number): Refusal | undefined {
    return this.models.get(model)?.refusals.get(version);
  }

  /** Forgets what was refused of versions that are not wanted any more. */
  retainRefusals(model: string, versions: ReadonlySet<number>): void {
    const refusals = this.models.get(model)?.refusals;
    for (const version of refusals?.keys() ?? []) if (!versions.has(version)) refusals?.delete(version);
  }

  refused(): [string, Refusal][] {
    return [...this.models].flatMap(([model, { refusals }]) =>
      [...refusals.values()].map((refusal): [string, Refusal] => [model, refusal]),
    );
  }

  private entry(model: string): ModelEntry {
    let entry = this.models.get(model);
    if (!entry) {
      const routing = { live: null, aliases: new Map(), canary: null, shadow: null };
      entry = { routing, slots: new Map(), refusals: new Map() };
      this.models.set(model, entry);
    }
    return entry;
  }
}

function named({ routing, slots }: ModelEntry, version: string): VersionSlot | undefined {
  return slots.get(routing.aliases.get(version) ?? version);
}

function chosen({ routing, slots }: ModelEntry, wanted: WantedVersion): VersionSlot | undefined {
  const { live, canary } = routing;
  if (canary !== null && isInShare(canary, wanted)) {
    const slot = slots.get(canary.version);
    if (slot) return slot;
  }
  return live === null ? undefined : slots.get(live);
}

function isInShare({ version, share }: TrafficShare, { model, routingKey = '' }: WantedVersion): boolean {
  return (routingKey === '' ? Math.random() : placeOf(`${model}@${version}`, routingKey)) < share;
}

function notServed({ model, version }: WantedVersion, entry: ModelEntry | undefined): never {
  const versions = [...(entry?.slots.keys() ?? [])];
  if (version !== '' && entry && versions.length > 0) {
    const message = `model "${model}" serves version ${versions.join(', ')}, not "${shown(version)}"`;
    throw new DomainError('MODEL_VERSION_NOT_FOUND', message, { path: 'version' });
  }
  const isRefused = entry !== undefined && entry.refusals.size > 0;
  const reason = isRefused ? 'its live version was refused, see the log' : 'none is live in the repository';
  throw new DomainError('MODEL_NOT_FOUND', `model "${shown(model)}" is not served: ${reason}`, {
    path: 'model',
  });
}
