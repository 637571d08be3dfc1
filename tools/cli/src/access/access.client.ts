import { DomainError, ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import { z } from 'zod';
import type { Connection } from '../graph/connection.js';

const TIMEOUT_MS = 30_000;

const key = z.object({
  id: z.string(),
  label: z.string(),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
  expiresAt: z.string(),
  revokedAt: z.string().nullable(),
  lastUsedOn: z.string().nullable(),
});
export type KeyAnswer = z.output<typeof key>;
const userErrors = z.array(z.object({ code: z.string(), message: z.string() }));
const created = z.object({ accessKey: key.nullable(), secret: z.string().nullable(), userErrors });
const revoked = z.object({ accessKey: key.nullable(), userErrors });
const page = z.object({ nodes: z.array(key), endCursor: z.string().nullable(), hasNextPage: z.boolean() });
const answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).nullish() }))
    .optional(),
});

const FIELDS = 'id label roles scopes expiresAt revokedAt lastUsedOn';

export interface NewKey {
  label: string;
  roles: string[];
  scopes?: string[];
  expiresInDays: number;
  idempotencyKey: string;
}

/** Access keys through the gateway, as whoever the connection's token names. */
export class AccessClient {
  constructor(private readonly connection: Connection) {}

  /** @throws DomainError with the code of what was refused */
  async create(input: NewKey): Promise<{ key: KeyAnswer; secret: string }> {
    const query = `mutation CreateAccessKey($input: CreateAccessKeyInput!) {
      createAccessKey(input: $input) { accessKey { ${FIELDS} } secret userErrors { code message } } }`;
    const {
      accessKey,
      secret,
      userErrors: faults,
    } = created.parse(await this.ask(query, { input }, 'createAccessKey'));
    if (accessKey && secret !== null) return { key: accessKey, secret };
    throw failure(faults[0]);
  }

  async revoke(id: string): Promise<KeyAnswer> {
    const query = `mutation RevokeAccessKey($id: ID!) {
      revokeAccessKey(id: $id) { accessKey { ${FIELDS} } userErrors { code message } } }`;
    const { accessKey, userErrors: faults } = revoked.parse(await this.ask(query, { id }, 'revokeAccessKey'));
    if (accessKey) return accessKey;
    throw failure(faults[0]);
  }

  async list(): Promise<KeyAnswer[]> {
    const query = `query AccessKeys($after: String) {
      accessKeys(first: 100, after: $after) { nodes { ${FIELDS} } endCursor hasNextPage } }`;
    const keys: KeyAnswer[] = [];
    for (let after: string | null = null; ;) {
      const { nodes, endCursor, hasNextPage } = page.parse(await this.ask(query, { after }, 'accessKeys'));
      keys.push(...nodes);
      if (!hasNextPage) return keys;
      after = endCursor;
    }
  }

  private async ask(query: string, variables: object, field: string): Promise<unknown> {
    const response = await fetch(this.connection.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await this.connection.token()}`,
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new DomainError('GATEWAY_UNAVAILABLE', `${this.connection.url} does not answer`, { cause });
    });
    const { data, errors = [] } = answer.parse(await response.json());
    const [first] = errors;
    if (first) throw failure({ code: first.extensions?.code ?? 'GATEWAY_REFUSED', message: first.message });
    return data?.[field];
  }
}

function failure(fault: { code: string; message: string } | undefined): DomainError {
  const { code, message } = fault ?? { code: 'GATEWAY_REFUSED', message: 'the gateway sent no answer' };
  return new DomainError(Object.hasOwn(ERROR_KINDS, code) ? (code as ErrorCode) : 'GATEWAY_REFUSED', message);
}
