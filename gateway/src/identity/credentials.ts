import { type KeyRing, KEY_PREFIX } from '@sextant/access-keys';
import { DomainError, type Identity } from '@sextant/domain';
import type { TokenVerifier } from './token-verifier.js';

/** Headers that may say who somebody is, lower case; also what a WebSocket sends when it opens. */
export interface CredentialHeaders {
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

/** Who a request comes from: a person's token, or a machine's access key. */
export class Credentials {
  /** @param keys  null: access keys are not served here */
  constructor(
    private readonly tokens: Pick<TokenVerifier, 'identify'>,
    private readonly keys: Pick<KeyRing, 'identify'> | null,
  ) {}

  /** @throws DomainError UNAUTHENTICATED or IDENTITY_UNAVAILABLE */
  async identify(headers: CredentialHeaders): Promise<Identity> {
    const { authorization, 'x-api-key': key } = headers;
    if (key !== undefined) {
      if (authorization !== undefined || typeof key !== 'string')
        throw refused('send one of Authorization and x-api-key, once');
      return this.ofKey(key);
    }
    if (authorization === undefined) throw refused('send a token: Authorization: Bearer <JWT>');
    const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (token === undefined)
      throw refused('the Authorization header is malformed: it must be Bearer <token>');
    return token.startsWith(KEY_PREFIX) ? this.ofKey(token) : this.tokens.identify(token);
  }

  private ofKey(key: string): Promise<Identity> {
    if (this.keys) return this.keys.identify(key);
    throw refused('access keys are not served here (MONGODB_URI): send a token');
  }
}

function refused(message: string): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}
