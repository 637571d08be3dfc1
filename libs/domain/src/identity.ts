/** What a caller may do; the graph's `@requiresScopes` names these. */
export const SCOPES = [
  'catalogue:read',
  'catalogue:write',
  'customer:read',
  'profile:read',
  'events:write',
  'consent:write',
  'recommend:read',
  'price:read',
  'lead:read',
  'churn:read',
  'purchase:read',
  'value:read',
  'action:read',
  'decision:read',
  'outcome:write',
  'campaign:read',
  'campaign:write',
  'model:read',
  'policy:write',
  'model:train',
  'model:import',
  'model:promote',
  'batch:write',
  'segment:read',
  'segment:write',
  'access:write',
  'audit:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/** The roles that tokens are issued for, and the scopes each role gets. `profile:read` covers traits and events of a person. */
export const ROLE_SCOPES = {
  web: [
    'catalogue:read',
    'customer:read',
    'events:write',
    'recommend:read',
    'price:read',
    'decision:read',
    'outcome:write',
  ],
  partner: ['catalogue:read', 'recommend:read'],
  analyst: [
    'catalogue:read',
    'customer:read',
    'profile:read',
    'recommend:read',
    'price:read',
    'lead:read',
    'churn:read',
    'purchase:read',
    'value:read',
    'action:read',
    'decision:read',
    'campaign:read',
    'model:read',
    'segment:read',
  ],
  marketer: [
    'catalogue:read',
    'customer:read',
    'recommend:read',
    'price:read',
    'lead:read',
    'churn:read',
    'purchase:read',
    'value:read',
    'action:read',
    'decision:read',
    'campaign:read',
    'campaign:write',
    'model:read',
    'segment:read',
    'segment:write',
  ],
  operator: [...SCOPES],
  privacy: [
    'customer:read',
    'profile:read',
    'consent:write',
    'decision:read',
    'model:read',
    'segment:read',
    'audit:read',
  ],
} as const satisfies Record<string, readonly Scope[]>;
export type Role = keyof typeof ROLE_SCOPES;

/** Who calls, as verified by the gateway and carried, signed, to the subgraphs. */
export interface Identity {
  subject: string;
  tenantId: string;
  roles: readonly string[];
  scopes: readonly string[];
  /** the application or machine: `key:<id>` for an access key, else what the token names as its client */
  clientId?: string;
}

/** How {@link Identity.clientId} begins for access keys. */
export const KEY_CLIENT = 'key:';

/** True for a machine that came with an access key, not with a token of the identity provider. */
export function isAccessKey({ clientId }: Identity): boolean {
  return clientId?.startsWith(KEY_CLIENT) ?? false;
}

const TENANT_ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A tenant id is a DNS label, so that it is safe in file names, metric labels and model names. */
export function isTenantId(value: string): boolean {
  return TENANT_ID.test(value);
}
