import { readFileSync } from 'node:fs';
import { DomainError, type Identity } from '@sextant/domain';
import { z } from 'zod';
import type { Audience } from '../pipeline/operation.js';
import type { LimitsConfig } from './limits.config.js';

/** Which documents a client may send: any; any, and by hash once one was sent; those of the manifest only. */
export const DOCUMENT_MODES = ['open', 'apq', 'safelist'] as const;
export type DocumentMode = (typeof DOCUMENT_MODES)[number];

const rates = {
  /** cost a second in the long run; 0: no limit */
  costRate: z.number().int().min(0),
  /** cost at once */
  costBurst: z.number().int().min(1),
};
const settings = z
  .strictObject({
    maxCost: z.number().int().min(1),
    ...rates,
    documents: z.enum(DOCUMENT_MODES),
    batching: z.boolean(),
    introspection: z.boolean(),
  })
  .partial();
const tenant = z.strictObject({ ...rates, maxCost: z.number().int().min(1) }).partial();
const clientFile = z.strictObject({
  format: z.literal('sextant-clients'),
  version: z.literal(1),
  defaults: settings.default({}),
  audiences: z.partialRecord(z.enum(['company', 'partner']), settings).default({}),
  roles: z.record(z.string(), settings).default({}),
  clients: z.record(z.string(), settings).default({}),
  tenants: z.record(z.string(), tenant).default({}),
});
/** Settings by client, as a file states them. */
export type ClientFile = z.output<typeof clientFile>;

/** What holds for one caller. */
export interface ClientSettings {
  /** highest estimated cost of an operation */
  maxCost: number;
  /** 0: no limit */
  costRate: number;
  costBurst: number;
  documents: DocumentMode;
  /** whether several operations in one request are served; never to partners */
  batching: boolean;
  introspection: boolean;
  /** of all clients of the tenant together; null: no limit */
  tenantRate: { costRate: number; costBurst: number } | null;
}

/** @throws DomainError CONFIG_INVALID naming the entry that is wrong */
export function readClientFile(path: string): ClientFile {
  const fail = (what: string, cause?: unknown): never => {
    throw new DomainError('CONFIG_INVALID', `SEXTANT_CLIENTS: ${path} ${what}`, { cause });
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    return fail('cannot be read as JSON', cause);
  }
  const parsed = clientFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return fail(`is wrong at ${issue?.path.join('.') || 'its root'}: ${issue?.message}`);
}

/** Who a caller is to limits: the verified client of the token or key, else the person. */
export function clientKeyOf({ clientId, subject }: Identity): string {
  return clientId ?? `subject:${subject}`;
}

const NONE: ClientFile = {
  format: 'sextant-clients',
  version: 1,
  ...{ defaults: {}, audiences: {}, roles: {}, clients: {}, tenants: {} },
};

/**
 * Settings of callers. The narrower goes before the wider: client, role (the first of the file that the caller has), audience,
 * defaults of the file, variables of the process.
 */
export class ClientRegistry {
  /**
   * @param file      the file in force; null: none
   * @param hasManifest  whether there are persisted documents to hold anybody to
   */
  constructor(
    private readonly config: LimitsConfig,
    private readonly file: () => ClientFile | null,
    private readonly hasManifest: boolean,
  ) {}

  settingsFor(identity: Identity, audience: Audience): ClientSettings {
    const file = this.file() ?? NONE;
    const role = Object.entries(file.roles).find(([name]) => identity.roles.includes(name))?.[1];
    const client = own(file.clients, clientKeyOf(identity));
    const tenant = own(file.tenants, identity.tenantId);
    const stated = { ...file.defaults, ...file.audiences[audience], ...role, ...client };
    const { config } = this;
    const share = (rate: number): number => rate / config.SEXTANT_GATEWAYS;
    const maxCost = stated.maxCost ?? config.SEXTANT_MAX_COST;
    return {
      maxCost: Math.min(maxCost, tenant?.maxCost ?? maxCost),
      costRate: share(stated.costRate ?? config.SEXTANT_COST_RATE),
      costBurst: share(stated.costBurst ?? config.SEXTANT_COST_BURST),
      documents: stated.documents ?? this.documentsOf(audience),
      batching: audience === 'company' && (stated.batching ?? true),
      introspection: stated.introspection ?? mayIntrospect(config.SEXTANT_INTROSPECTION, identity),
      tenantRate: tenant?.costRate
        ? { costRate: share(tenant.costRate), costBurst: share(tenant.costBurst ?? 10 * tenant.costRate) }
        : null,
    };
  }

  private documentsOf(audience: Audience): DocumentMode {
    if (audience === 'company') return this.config.SEXTANT_DOCUMENTS;
    const stated = this.config.SEXTANT_PARTNER_DOCUMENTS;
    if (stated !== 'manifest') return stated;
    return this.hasManifest ? 'safelist' : 'apq';
  }
}

function mayIntrospect(setting: string, { roles }: Identity): boolean {
  if (setting === 'all' || setting === 'off') return setting === 'all';
  return setting.split(',').some((role) => roles.includes(role.trim()));
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
