import { readFileSync, statSync } from 'node:fs';
import { DomainError } from '@sextant/domain';
import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose';

/** Keys are fetched again after so long, also when every token finds its own. */
const MAX_AGE_MS = 10 * 60_000;
/** Pause between two fetches for keys that nobody has. */
const COOLDOWN_MS = 10_000;
const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

export interface JwksOptions {
  /** file path or http(s) URL of a JSON Web Key Set */
  location: string;
  nowMs: () => number;
  /** told when the keys cannot be read; the ones that were read before stay */
  onProblem(error: unknown): void;
}

interface Source {
  /** null: nothing has changed since the last call */
  read(): Promise<JSONWebKeySet | null>;
  cooldownMs: number;
}

/**
 * The public keys of the identity provider. A key id that is not among them has them read again, at most every ten seconds; the
 * last good ones stay while they cannot be read, and nobody is let in by a key that was not read.
 */
export class JwksKeys {
  private current: { keys: JWTVerifyGetKey; readAtMs: number } | null = null;
  private attemptedAtMs = -Infinity;
  private reading: Promise<void> | null = null;

  private constructor(
    private readonly source: Source,
    private readonly options: JwksOptions,
  ) {}

  /** @throws DomainError CONFIG_INVALID when it is a file without keys, so that a gateway never starts with a wrong path */
  static async open(options: JwksOptions): Promise<JwksKeys> {
    if (/^https?:\/\//.test(options.location)) {
      const keys = new JwksKeys(urlSource(options.location), options);
      keys.refresh().catch(() => undefined); // the provider may start later than we; told by onProblem
      return keys;
    }
    const keys = new JwksKeys(fileSource(options.location), options);
    try {
      await keys.refresh();
    } catch (cause) {
      throw new DomainError(
        'CONFIG_INVALID',
        `SEXTANT_JWKS: ${options.location} holds no JSON Web Key Set that can be read`,
        { cause },
      );
    }
    return keys;
  }

  /** The key that a token names. @throws JOSEError without one, DomainError IDENTITY_UNAVAILABLE before any were read */
  async keyOf(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const current = this.current ?? (await this.first());
    if (this.options.nowMs() - current.readAtMs > MAX_AGE_MS && this.mayRead()) {
      this.refresh().catch(() => undefined); // the ones we have go on holding; told by onProblem
    }
    try {
      return await keyIn(current.keys, header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (this.reading || this.mayRead()) await this.refresh().catch(() => undefined);
      if (!this.current || this.current === current) throw error;
      return keyIn(this.current.keys, header, token);
    }
  }

  /** Whether tokens can be checked at all; reads the keys where there are none yet. */
  async isReady(): Promise<boolean> {
    if (!this.current) await this.first().catch(() => undefined);
    return this.current !== null;
  }

  private async first(): Promise<{ keys: JWTVerifyGetKey; readAtMs: number }> {
    if (this.reading || this.mayRead()) await this.refresh().catch(() => undefined);
    if (this.current) return this.current;
    throw new DomainError(
      'IDENTITY_UNAVAILABLE',
      'the keys that tokens are checked with cannot be read at the moment; try again',
    );
  }

  private mayRead(): boolean {
    return this.options.nowMs() - this.attemptedAtMs >= this.source.cooldownMs;
  }

  private refresh(): Promise<void> {
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async read(): Promise<void> {
    this.attemptedAtMs = this.options.nowMs();
    try {
      const set = await this.source.read();
      if (set) this.current = { keys: createLocalJWKSet(asymmetric(set)), readAtMs: this.options.nowMs() };
      else if (this.current) this.current.readAtMs = this.options.nowMs();
    } catch (error) {
      this.options.onProblem(error);
      throw error;
    }
  }
}

/** jose types a key as what any runtime may have; here it is always a CryptoKey. */
async function keyIn(
  keys: JWTVerifyGetKey,
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
): Promise<CryptoKey> {
  return (await keys(header as never, token)) as CryptoKey;
}

function asymmetric({ keys }: JSONWebKeySet): JSONWebKeySet {
  if (!Array.isArray(keys)) throw new Error('a JSON Web Key Set has a list of keys');
  const usable = keys.filter(({ kty, d }) => kty !== 'oct' && d === undefined);
  if (usable.length === 0) throw new Error('the JSON Web Key Set holds no public key');
  return { keys: usable };
}

function fileSource(path: string): Source {
  let seen = '';
  return {
    cooldownMs: 0,
    read() {
      const { mtimeMs, size } = statSync(path);
      const version = `${mtimeMs} ${size}`;
      if (version === seen) return Promise.resolve(null);
      const set = JSON.parse(readFileSync(path, 'utf8')) as JSONWebKeySet;
      seen = version;
      return Promise.resolve(set);
    },
  };
}

function urlSource(url: string): Source {
  return {
    cooldownMs: COOLDOWN_MS,
    async read() {
      const response = await fetch(url, {
        headers: { accept: 'application/jwk-set+json, application/json' },
        redirect: 'error',
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      });
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      const text = await response.text();
      if (text.length > MAX_BYTES) throw new Error(`${url} answered more than ${MAX_BYTES} bytes`);
      return JSON.parse(text) as JSONWebKeySet;
    },
  };
}
