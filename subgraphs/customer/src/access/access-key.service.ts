import { type AccessKey, AccessKeyRepository, type ListedAccessKey } from '@sextant/access-keys';
import {
  DomainError,
  type Identity,
  isAccessKey,
  type Page,
  pageOf,
  POLICIES,
  type Role,
  ROLE_SCOPES,
  SCOPES,
} from '@sextant/domain';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { idAfter, limitOf, type PageArguments } from '../page.js';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';

export interface CreateAccessKeyInput {
  label: string;
  roles: readonly string[];
  scopes?: readonly string[] | null;
  expiresInDays: number;
  idempotencyKey?: string | null;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_LABEL = 100;
const MAX_DAYS = 365;
const MAX_KEY = 128;

/** Keys for machines: made by people, for at most what these may do themselves. */
@Injectable()
export class AccessKeyService implements OnModuleInit {
  constructor(
    private readonly keys: AccessKeyRepository,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.keys.ensureIndexes();
  }

  /** @throws DomainError FORBIDDEN for an access key, INVALID_INPUT for what the creator may not give, IDEMPOTENCY_CONFLICT */
  async create(
    creator: Identity,
    input: CreateAccessKeyInput,
  ): Promise<{ accessKey: ListedAccessKey; secret: string }> {
    if (isAccessKey(creator))
      throw new DomainError('FORBIDDEN', 'an access key cannot create keys: ask a person with access:write');
    const { label, roles, expiresInDays, idempotencyKey = null } = input;
    requireText('label', label, MAX_LABEL);
    if (idempotencyKey !== null) requireText('idempotencyKey', idempotencyKey, MAX_KEY);
    if (!Number.isInteger(expiresInDays) || expiresInDays < 1 || expiresInDays > MAX_DAYS)
      throw invalid('expiresInDays', `must be 1 to ${MAX_DAYS}, got ${expiresInDays}`);
    const scopes = grantable(creator, roles, input.scopes ?? null);
    const createdAt = this.surroundings.clock.now();
    const expiresAt = new Date(createdAt.getTime() + expiresInDays * DAY_MS);
    const { key, text } = await this.keys.create(
      creator.tenantId,
      { label, roles: [...new Set(roles)], scopes, createdBy: creator.subject, createdAt, expiresAt },
      idempotencyKey,
    );
    return { accessKey: { ...key, lastUsedOn: null }, secret: text };
  }

  /** @throws DomainError ACCESS_KEY_NOT_FOUND */
  async revoke(tenantId: string, id: string): Promise<AccessKey & { lastUsedOn: null }> {
    const revoked = await this.keys.revoke(tenantId, id, this.surroundings.clock.now());
    if (revoked) return { ...revoked, lastUsedOn: null };
    throw new DomainError('ACCESS_KEY_NOT_FOUND', 'there is no access key with this id', { path: 'id' });
  }

  async list(tenantId: string, page: PageArguments): Promise<Page<ListedAccessKey>> {
    const limit = limitOf(page, { fallback: 50, max: 100 });
    const rows = await this.keys.list(tenantId, { after: idAfter(page), limit: limit + 1 });
    return pageOf(rows, { limit, after: page.after, keyOf: ({ id }) => [id] });
  }
}

/** The scopes of a new key; nobody gives a role, a scope or what a policy opens beyond their own. */
function grantable(creator: Identity, roles: readonly string[], wanted: readonly string[] | null): string[] {
  if (roles.length === 0) throw invalid('roles', 'needs at least one role');
  const lacks = (scopes: readonly string[]): string[] =>
    scopes.filter((scope) => !creator.scopes.includes(scope));
  const ofRoles = roles.flatMap((role) => {
    if (!Object.hasOwn(ROLE_SCOPES, role))
      throw invalid(
        'roles',
        `must be among ${Object.keys(ROLE_SCOPES).join(', ')}, got ${JSON.stringify(role)}`,
      );
    const scopes = ROLE_SCOPES[role as Role];
    const missing = lacks(scopes);
    if (missing.length > 0)
      throw invalid('roles', `names ${role}, which has ${missing.join(', ')}, which your own token lacks`);
    return scopes;
  });
  const unknown = (wanted ?? []).filter((scope) => !(SCOPES as readonly string[]).includes(scope));
  if (unknown.length > 0) throw invalid('scopes', `names ${JSON.stringify(unknown[0])}, which is no scope`);
  const missing = lacks(wanted ?? []);
  if (missing.length > 0) throw invalid('scopes', `names ${missing.join(', ')}, which your own token lacks`);
  const scopes = [...new Set(wanted ?? ofRoles)];
  const [opened] = Object.entries(POLICIES).find(
    ([, isMetBy]) => isMetBy({ ...creator, roles, scopes }) && !isMetBy(creator),
  ) ?? [null];
  if (opened !== null) throw invalid('roles', `open ${opened}, which your own roles do not`);
  return scopes;
}

function requireText(path: string, text: string, most: number): void {
  if (text.length < 1 || text.length > most) throw invalid(path, `must have 1 to ${most} characters`);
}

function invalid(path: string, what: string): DomainError {
  return new DomainError('INVALID_INPUT', `${path} ${what}`, { path });
}
