import { DomainError } from '@sextant/domain';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { GatewayContext, Guard, Interceptor, OperationRequest } from '../pipeline/operation.js';
import type { Supergraph } from '../supergraph/supergraph.js';
import { clientKeyOf, type ClientRegistry, type ClientSettings } from './client-settings.js';
import { CostTable } from './cost-table.js';
import { OperationCost } from './operation-cost.js';
import { refusal } from './refusal.js';
import type { Cost } from './selection-cost.js';
import type { BucketRate, TokenBuckets } from './token-buckets.js';

/** What one admitted operation was charged. */
interface Charge {
  cost: OperationCost;
  estimated: Cost;
  settings: ClientSettings;
}

const COST = Symbol('cost of the operation');
/** A document that is refused costs parsing and validation: so much, and one more for so many of its characters. */
const REFUSED = { base: 100, charactersForOne: 10 };
/** Reading the JSON of a body costs 10 to 50 ns a character; a small one is part of its operation's cost. */
const BODY = { freeCharacters: 10_000, charactersForOne: 1_000 };

/** Whose buckets are meant. */
type Caller = Pick<GatewayContext, 'identity' | 'audience'>;

/**
 * Static cost over the whole operation, whatever subgraphs it asks: refused where it is over the budget, taken from the rates
 * of client and tenant, and put right when the answer shows what it was.
 */
export class CostControl implements Guard, Interceptor {
  readonly name = 'cost';
  private readonly tables = new WeakMap<Supergraph, CostTable>();
  private readonly charges = new WeakMap<OperationRequest, Charge>();

  constructor(
    private readonly clients: ClientRegistry,
    private readonly buckets: TokenBuckets,
  ) {}

  /** Before a document is looked at. @throws GraphQLError RATE_LIMITED while a caller has used more than there was */
  requireRoom(context: GatewayContext): void {
    const spent = this.spent(context);
    if (spent)
      throw refusal('RATE_LIMITED', spent.message, { status: 429, retryAfterMs: spent.retryAfterMs });
  }

  /**
   * Before the JSON of a body is read: takes what that costs, whatever becomes of the request.
   *
   * @throws DomainError RATE_LIMITED for a large body, while its caller has used more than there was
   */
  chargeBody(characters: number, caller: Caller): void {
    if (characters <= BODY.freeCharacters) return;
    const spent = this.spent(caller);
    if (spent) throw new DomainError('RATE_LIMITED', spent.message, { retryAfterMs: spent.retryAfterMs });
    const settings = this.clients.settingsFor(caller.identity, caller.audience);
    const cost = Math.ceil(characters / BODY.charactersForOne);
    // never so much that a full bucket had nothing left for the operation itself
    for (const { key, rate } of bucketsOf(caller, settings))
      this.buckets.take(key, Math.min(cost, rate.burst / 2), rate);
  }

  /** Which bucket is below zero, and for how long. */
  private spent(caller: Caller): { message: string; retryAfterMs: number } | null {
    const settings = this.clients.settingsFor(caller.identity, caller.audience);
    for (const { key, rate, whose } of bucketsOf(caller, settings)) {
      const level = this.buckets.level(key, rate);
      if (level >= 0) continue;
      const retryAfterMs = Math.ceil((-level / rate.rate) * 1_000);
      const message = `${whose} has used more than ${Math.round(rate.rate)} a second: try again in ${retryAfterMs} ms`;
      return { message, retryAfterMs };
    }
    return null;
  }

  /** Takes what it cost to find out that a document cannot be run, whether or not that much is left. */
  chargeRefused(text: string, context: GatewayContext): void {
    const settings = this.clients.settingsFor(context.identity, context.audience);
    const cost = REFUSED.base + Math.ceil(text.length / REFUSED.charactersForOne);
    for (const { key, rate } of bucketsOf(context, settings)) this.buckets.take(key, cost, rate);
  }

  check(request: OperationRequest): readonly GraphQLError[] | undefined {
    const { prepared, variables, context } = request;
    const settings = this.clients.settingsFor(context.identity, context.audience);
    const cost = prepared.memo(COST, () => new OperationCost(prepared, this.tableOf(request.supergraph)));
    const estimated = cost.estimated(variables);
    context.ledger.estimatedCost = estimated.cost;
    if (!(estimated.cost <= settings.maxCost)) {
      if (prepared.uses === 1) this.chargeRefused(prepared.text, context);
      return [tooExpensive(estimated.cost, settings.maxCost, cost.dearest(variables))];
    }
    const late = this.take(request, estimated.cost, settings);
    if (late) return [late];
    this.charges.set(request, { cost, estimated, settings });
    return undefined;
  }

  async around(request: OperationRequest, next: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
    const result = await next();
    const charge = this.charges.get(request);
    if (!charge) return result;
    const { cost, estimated, settings } = charge;
    const actual = result.data ? cost.actual(result.data, request.variables) : { cost: 0, rows: 0 };
    const { ledger } = request.context;
    ledger.actualCost = actual.cost;
    ledger.inferenceRows = actual.rows;
    // an answer with errors may have cost what it does not show
    if (!result.errors) this.giveBack(request, estimated.cost - actual.cost, settings);
    const figures = {
      estimated: estimated.cost,
      actual: actual.cost,
      limit: settings.maxCost,
      remaining: this.remaining(request, settings),
      inferenceRows: actual.rows,
    };
    return { ...result, extensions: { ...result.extensions, cost: figures } };
  }

  private take(request: OperationRequest, cost: number, settings: ClientSettings): GraphQLError | undefined {
    const buckets = bucketsOf(request.context, settings);
    for (const { key, rate, whose } of buckets) {
      const waitMs = this.buckets.waitMs(key, cost, rate);
      if (waitMs === 0) continue;
      const message = `this operation costs ${cost}, ${whose} may use ${Math.round(rate.rate)} a second and has ${Math.max(0, Math.floor(this.buckets.level(key, rate)))} left: try again in ${waitMs} ms`;
      return refusal('RATE_LIMITED', message, { status: 429, retryAfterMs: waitMs });
    }
    for (const { key, rate } of buckets) this.buckets.take(key, cost, rate);
    return undefined;
  }

  private giveBack(request: OperationRequest, cost: number, settings: ClientSettings): void {
    for (const { key, rate } of bucketsOf(request.context, settings)) this.buckets.take(key, -cost, rate);
  }

  /** What client and tenant may use at once now; null: there is no limit. */
  private remaining(request: OperationRequest, settings: ClientSettings): number | null {
    const levels = bucketsOf(request.context, settings).map(({ key, rate }) => this.buckets.level(key, rate));
    return levels.length === 0 ? null : Math.max(0, Math.floor(Math.min(...levels)));
  }

  private tableOf(supergraph: Supergraph): CostTable {
    const known = this.tables.get(supergraph);
    if (known) return known;
    const table = new CostTable(supergraph.sdl);
    this.tables.set(supergraph, table);
    return table;
  }
}

/** The buckets that an operation draws from. */
function bucketsOf(
  { identity }: Caller,
  { costRate, costBurst, tenantRate }: ClientSettings,
): { key: string; rate: BucketRate; whose: string }[] {
  const buckets = [];
  if (costRate > 0) {
    const key = `${identity.tenantId} ${clientKeyOf(identity)}`;
    buckets.push({ key, rate: { rate: costRate, burst: costBurst }, whose: 'this client' });
  }
  if (tenantRate) {
    const rate = { rate: tenantRate.costRate, burst: tenantRate.costBurst };
    buckets.push({ key: identity.tenantId, rate, whose: 'this tenant' });
  }
  return buckets;
}

function tooExpensive(estimated: number, limit: number, dearest: readonly string[]): GraphQLError {
  const where = dearest.length > 0 ? `, most of it at ${dearest.join('.')}` : '';
  const message = `this operation may cost ${estimated}${where}; the limit is ${limit}: ask for fewer entries (first), for less of each, or in several operations`;
  return refusal('QUERY_TOO_EXPENSIVE', message);
}
