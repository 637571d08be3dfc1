import type { IncomingMessage } from 'node:http';
import { AccessKeyRepository, KeyRing } from '@sextant/access-keys';
import { AuditChains, AuditLog } from '@sextant/audit';
import { DomainError, type Identity, systemClock } from '@sextant/domain';
import { type Logger, mongoOptions, type ReadinessCheck } from '@sextant/platform';
import { type Db, MongoClient } from 'mongodb';
import { MutationAudit } from '../audit/mutation-audit.js';
import { AuthFailures } from '../limits/auth-failures.js';
import type { Audience, Interceptor, OperationObserver } from '../pipeline/operation.js';
import { Credentials } from './credentials.js';
import { JwksKeys } from './jwks-keys.js';
import { ANYBODY } from './open-access.js';
import type { SecurityConfig } from './security.config.js';
import { TokenVerifier } from './token-verifier.js';

/** Who calls, and what is kept of it. It outlives the supergraph. */
export interface Security {
  identify(request: Pick<IncomingMessage, 'headers' | 'socket'>, audience: Audience): Promise<Identity>;
  /** Whether somebody who was identified may stay. It is asked in any case: others at the address must not keep a revoked key in. */
  identifyAgain(request: Pick<IncomingMessage, 'headers'>, audience: Audience): Promise<Identity>;
  interceptors: readonly Interceptor[];
  observers: readonly OperationObserver[];
  /** what has to hold before requests are sent here */
  checks: readonly ReadinessCheck[];
  /** the store of it all, for what gateways share; null: there is none */
  db: Db | null;
  /** after the last request */
  close(): Promise<void>;
}

/** @throws DomainError CONFIG_INVALID when the keys of tokens cannot be read, or the audit log is on and has no place */
export async function startSecurity(config: SecurityConfig, logger: Logger): Promise<Security> {
  if (config.SEXTANT_OPEN_ACCESS !== undefined) {
    const nothing = { interceptors: [], observers: [], checks: [], db: null, close: () => Promise.resolve() };
    const identify = () => Promise.resolve(ANYBODY);
    return { ...nothing, identify, identifyAgain: identify };
  }
  const client = clientOf(config);
  const log = auditLogOf(config, client, logger);
  const jwks = await jwksOf(config, logger);
  const expected = { issuer: config.SEXTANT_ISSUER, audience: config.SEXTANT_AUDIENCE };
  const ring = client && keyRingOf(config, client.db(), logger);
  const credentials = new Credentials(new TokenVerifier(jwks, expected, Date.now), ring);
  const failures = new AuthFailures(Date.now);
  const onProblem = (err: unknown): void =>
    logger.error({ err }, 'a mutation has no outcome in the audit log');
  const audit = log && new MutationAudit({ log, nowMs: Date.now, onProblem });
  return {
    async identify({ headers, socket }, audience) {
      const identify = () => credentials.identify(headers);
      return admitted(await failures.identify(socket.remoteAddress ?? '', identify), audience);
    },
    identifyAgain: async ({ headers }, audience) => admitted(await credentials.identify(headers), audience),
    interceptors: audit ? [audit] : [],
    observers: audit ? [audit.observe] : [],
    checks: [{ name: 'keys', isReady: () => jwks.isReady() }, ...(client ? [storeCheck(client)] : [])],
    db: client?.db() ?? null,
    async close() {
      await Promise.all([log?.close(), ring?.close()]);
      await client?.close();
    },
  };
}

/** Partners have an endpoint of their own, which knows of what is meant for them only. */
function admitted(identity: Identity, audience: Audience): Identity {
  const isPartner = identity.roles.length > 0 && identity.roles.every((role) => role === 'partner');
  if (audience === 'company' && isPartner)
    throw new DomainError('FORBIDDEN', 'the graph for partners is at /partner/graphql');
  return identity;
}

function clientOf({ MONGODB_URI, MONGODB_TIMEOUT_MS }: SecurityConfig): MongoClient | null {
  return MONGODB_URI === undefined ? null : new MongoClient(MONGODB_URI, mongoOptions(MONGODB_TIMEOUT_MS));
}

/** Not ready until the store has answered once; after that its outage costs mutations and new keys, and not the endpoint. */
function storeCheck(client: MongoClient): ReadinessCheck {
  let hasAnswered = false;
  return {
    name: 'store',
    async isReady() {
      if (!hasAnswered) await client.db().command({ ping: 1 });
      return (hasAnswered = true);
    },
  };
}

function auditLogOf(config: SecurityConfig, client: MongoClient | null, logger: Logger): AuditLog | null {
  if (config.SEXTANT_AUDIT === 'off') {
    logger.warn('SEXTANT_AUDIT=off: nobody will know who changed what');
    return null;
  }
  if (!client || config.SEXTANT_AUDIT_SECRET === undefined) {
    const message =
      'the audit log needs MONGODB_URI and SEXTANT_AUDIT_SECRET (32 characters or more); SEXTANT_AUDIT=off serves without one';
    throw new DomainError('CONFIG_INVALID', message);
  }
  return new AuditLog({
    chains: new AuditChains(client.db()),
    secret: config.SEXTANT_AUDIT_SECRET,
    clock: systemClock,
    timeoutMs: config.MONGODB_TIMEOUT_MS,
    onAnchorFailed: (err) => logger.warn({ err }, 'the length of the audit log could not be kept'),
  });
}

function jwksOf(config: SecurityConfig, logger: Logger): Promise<JwksKeys> {
  return JwksKeys.open({
    location: config.SEXTANT_JWKS,
    nowMs: Date.now,
    onProblem: (err) =>
      logger.warn({ err }, 'the keys of tokens cannot be read; the last ones stay in force'),
  });
}

function keyRingOf({ SEXTANT_KEY_GRACE_MS }: SecurityConfig, db: Db, logger: Logger): KeyRing {
  return new KeyRing({
    keys: new AccessKeyRepository(db),
    clock: systemClock,
    graceMs: SEXTANT_KEY_GRACE_MS,
    onProblem: (err) => logger.warn({ err }, 'it could not be kept that an access key was used'),
  });
}
