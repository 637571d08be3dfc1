import type { AuditedField, AuditedMutation, AuditLog } from '@sextant/audit';
import type { DomainError } from '@sextant/domain';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type {
  GatewayContext,
  Interceptor,
  OperationObserver,
  OperationRequest,
  PreparedOperation,
} from '../pipeline/operation.js';
import { jsonPartsOf } from '../pipeline/json-text.js';
import { auditedFields } from './audited-fields.js';

/** A refusal that comes again within it is not written again, so that nobody can fill the log with them. */
const REFUSAL_PAUSE_MS = 60_000;
/** Nobody waits for what became of a mutation: it is written with the next entry, or so much later. */
const LINGER_MS = 100;
const MAX_REFUSALS = 10_000;
const MAX_CODES = 20;

export interface MutationAuditOptions {
  log: Pick<AuditLog, 'append' | 'digest'>;
  nowMs: () => number;
  /** told when it could not be written what became of a mutation: its intent stays without an outcome */
  onProblem(error: unknown): void;
}

/**
 * Writes every mutation into the audit log: its intent before it runs, without which it does not run; its outcome after; and
 * that it was forbidden, where it was.
 */
export class MutationAudit implements Interceptor {
  private readonly judged = new WeakSet<GatewayContext>();
  private readonly refusals = new Map<string, number>();

  constructor(private readonly options: MutationAuditOptions) {}

  async around(request: OperationRequest, next: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
    if (request.prepared.type !== 'mutation') return next();
    this.judged.add(request.context);
    const { log } = this.options;
    const fields = this.fieldsOf(request);
    const what = { ...aboutWhom(request.prepared, request.context), fields };
    const { tenantId } = request.context.identity;
    let intent: number;
    try {
      intent = await log.append(tenantId, { kind: 'INTENT', what });
    } catch (error) {
      return { errors: [notWritten(error as DomainError)] };
    }
    let result: ExecutionResult | null = null;
    try {
      result = await next();
      return result;
    } finally {
      this.write(tenantId, { kind: 'OUTCOME', what: { of: intent, ...outcomeOf(result) } });
    }
  }

  /** Writes what was forbidden before it ran. */
  readonly observe: OperationObserver = ({ prepared, variables, context, result }) => {
    if (prepared?.type !== 'mutation' || this.judged.has(context)) return;
    const codes = codesOf(result);
    if (!codes.includes('FORBIDDEN') || this.wasWritten(prepared, context)) return;
    const fields = this.fieldsOf({ prepared, variables: variables ?? {} });
    const what = { ...aboutWhom(prepared, context), fields, codes };
    this.write(context.identity.tenantId, { kind: 'REFUSAL', what });
  };

  private fieldsOf(request: Pick<OperationRequest, 'prepared' | 'variables'>): AuditedField[] {
    return auditedFields(request, (given) => this.options.log.digest(jsonPartsOf(given)));
  }

  private write(tenantId: string, event: Parameters<AuditLog['append']>[1]): void {
    this.options.log.append(tenantId, event, { lingerMs: LINGER_MS }).catch(this.options.onProblem);
  }

  private wasWritten({ hash }: PreparedOperation, { identity }: GatewayContext): boolean {
    const key = `${identity.tenantId}/${identity.subject}/${hash}`;
    const now = this.options.nowMs();
    if (now - (this.refusals.get(key) ?? -Infinity) < REFUSAL_PAUSE_MS) return true;
    if (this.refusals.size >= MAX_REFUSALS) this.refusals.clear();
    this.refusals.set(key, now);
    return false;
  }
}

function aboutWhom(
  { name, hash }: PreparedOperation,
  { identity, requestId }: GatewayContext,
): Omit<AuditedMutation, 'fields'> {
  const { subject, clientId = null, roles } = identity;
  return {
    requestId,
    subject: subject.slice(0, 256),
    clientId,
    roles: roles.slice(0, 20),
    operation: name?.slice(0, 128) ?? null,
    operationHash: hash,
  };
}

/** Null: the mutation ended in an unexpected way. */
function outcomeOf(result: ExecutionResult | null): { outcome: 'OK' | 'FAILED'; codes: string[] } {
  if (!result) return { outcome: 'FAILED', codes: ['INTERNAL_SERVER_ERROR'] };
  return { outcome: result.errors?.length ? 'FAILED' : 'OK', codes: codesOf(result) };
}

/** Codes of the errors and of the payloads' userErrors. */
function codesOf({ data, errors }: ExecutionResult): string[] {
  const inPayloads = Object.values(data ?? {}).flatMap((payload): unknown[] => {
    const found = (payload as { userErrors?: unknown } | null)?.userErrors;
    return Array.isArray(found) ? found.slice(0, MAX_CODES).map((one: { code?: unknown }) => one.code) : [];
  });
  const codes = [
    ...(errors ?? []).map(({ extensions }) => extensions?.['code'] ?? 'INTERNAL_SERVER_ERROR'),
    ...inPayloads,
  ];
  return [...new Set(codes.filter((code) => typeof code === 'string'))].slice(0, MAX_CODES);
}

function notWritten(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, { extensions: { code: error.code }, originalError: error });
}
