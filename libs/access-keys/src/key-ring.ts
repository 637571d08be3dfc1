import { type Clock, DomainError, type Identity, KEY_CLIENT } from '@sextant/domain';
import { type AccessKey, isSecretOf, parsePresentedKey, type PresentedKey } from './access-key.js';
import type { AccessKeyRepository } from './access-key.repository.js';

/** A key is taken as it was read for so long; afterwards it is read again beside the request. */
const FRESH_MS = 1_000;
/** Beyond it, a request waits until the key was read again: a revoked key is refused everywhere after so long. */
const STALE_MS = 5_000;
const KEPT = 10_000;
/** Keys that are read at a time and were not known before; more are attempts to guess one, or the store hangs. */
const MAX_READS = 64;

type StoredKey = AccessKey & { digest: string };

interface Kept {
  /** null: the store has no such key */
  key: StoredKey | null;
  identity: Identity | null;
  readAtMs: number;
}

export interface KeyRingOptions {
  keys: Pick<AccessKeyRepository, 'find' | 'noteUse'>;
  clock: Clock;
  /** how long keys that were read before keep working while the store does not answer, milliseconds */
  graceMs: number;
  /** told when it could not be kept that a key was used */
  onProblem(error: unknown): void;
}

/** Turns access keys into identities without asking the store at each request. */
export class KeyRing {
  private readonly kept = new Map<string, Kept>();
  private readonly notedOn = new Map<string, string>();
  private readonly noting = new Set<Promise<void>>();
  private readonly reading = new Map<string, Promise<Kept>>();

  constructor(private readonly options: KeyRingOptions) {}

  /**
   * @throws DomainError UNAUTHENTICATED for what is no key in force, IDENTITY_UNAVAILABLE for one that cannot be looked up now
   */
  async identify(text: string): Promise<Identity> {
    const presented = parsePresentedKey(text);
    if (!presented) throw refused('the access key is malformed: it looks like sxk_<tenant>_<id>_<secret>');
    const { key, identity } = await this.current(presented);
    if (!key || !identity || !isSecretOf(presented, key.digest))
      throw refused('the access key is not valid here');
    if (key.revokedAt) throw refused('the access key was revoked: get a new one');
    const now = this.options.clock.now();
    if (key.expiresAt <= now) throw refused('the access key has expired: get a new one');
    this.note(key, now.toISOString().slice(0, 10));
    return identity;
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await Promise.all(this.noting);
  }

  private async current(presented: PresentedKey): Promise<Kept> {
    const name = `${presented.tenantId}/${presented.id}`;
    const known = this.kept.get(name);
    const ageMs = known ? this.nowMs() - known.readAtMs : Infinity;
    if (known && ageMs < FRESH_MS) return known;
    const reading = this.reading.get(name) ?? this.read(name, presented, known);
    if (known && ageMs < STALE_MS) {
      reading.catch(() => undefined); // asked for again, and told then, by whoever comes later
      return known;
    }
    try {
      return await reading;
    } catch (cause) {
      if (known?.key && ageMs < this.options.graceMs) return known;
      throw new DomainError(
        'IDENTITY_UNAVAILABLE',
        'access keys cannot be looked up at the moment; try again',
        { cause },
      );
    }
  }

  private read(name: string, presented: PresentedKey, known: Kept | undefined): Promise<Kept> {
    // One that was there is read in any case: guesses must not keep a revoked key in force.
    if (!known?.key && this.reading.size >= MAX_READS)
      return Promise.reject(new Error('too many keys are being looked up'));
    const readAtMs = this.nowMs();
    const reading = this.options.keys
      .find(presented.tenantId, presented.id)
      .then((key) => this.keep(name, { key, identity: identityFor(key, known), readAtMs }))
      .finally(() => this.reading.delete(name));
    this.reading.set(name, reading);
    return reading;
  }

  private keep(name: string, kept: Kept): Kept {
    this.kept.delete(name);
    this.kept.set(name, kept);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
    return kept;
  }

  private note({ tenantId, id }: AccessKey, day: string): void {
    if (this.notedOn.get(id) === day) return;
    if (this.notedOn.size > KEPT) this.notedOn.clear();
    this.notedOn.set(id, day);
    const noted = this.options.keys
      .noteUse(tenantId, id, day)
      .catch((error: unknown) => {
        this.notedOn.delete(id);
        this.options.onProblem(error);
      })
      .finally(() => this.noting.delete(noted));
    this.noting.add(noted);
  }

  private nowMs(): number {
    return this.options.clock.now().getTime();
  }
}

/** The same one as before while its rights are the same, so that what is known of it is used again. */
function identityFor(key: StoredKey | null, before: Kept | undefined): Identity | null {
  if (!key) return null;
  return before?.identity && sameRights(before.key, key) ? before.identity : identityOf(key);
}

function identityOf({ id, tenantId, roles, scopes }: AccessKey): Identity {
  return { subject: `${KEY_CLIENT}${id}`, tenantId, roles, scopes, clientId: `${KEY_CLIENT}${id}` };
}

function sameRights(a: AccessKey | null, b: AccessKey): boolean {
  return String(a?.roles) === String(b.roles) && String(a?.scopes) === String(b.scopes);
}

function refused(message: string): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}
