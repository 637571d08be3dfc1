import { checkPageSize } from '@sextant/domain';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import type { DecisionKind, LoggedDecision, Rung } from '@sextant/decision-log';
import { DecisionReader } from './decision-reader.js';

const MAX_DECISIONS = 100;

/** A decision's output says what its own field would have said, so it needs that field's scope. */
export const SCOPE_OF_KIND: Readonly<Record<DecisionKind, string>> = {
  recommend: 'recommend:read',
  price: 'price:read',
  lead: 'lead:read',
  churn: 'churn:read',
  purchase: 'purchase:read',
  lifetime: 'value:read',
  uplift: 'action:read',
};

export interface DecisionRecord {
  id: string;
  kind: DecisionKind;
  subject: string;
  at: Date;
  modelVersion: string;
  rung: Rung;
  featureHash: string;
  output: Record<string, unknown>;
  propensity: number | null;
  /** all of it, for the fields that are computed from the log */
  logged: LoggedDecision;
}

@Resolver('Customer')
export class DecisionResolver {
  /** Decisions that one request asks for by id are read together, and so arrive together where they are made again. */
  private readonly found: RequestLoaders<string, LoggedDecision | null>;

  constructor(
    private readonly decisions: DecisionReader,
    private readonly loaders: LoaderRegistry,
  ) {
    this.found = new RequestLoaders(
      (tenantId, ids: readonly string[]) => decisions.findMany(tenantId, ids),
      (id) => id,
    );
  }

  @Query()
  async decision(@Args('id') id: string, @Context() context: RequestContext): Promise<DecisionRecord | null> {
    const { identity } = context;
    const found = await this.found.load(context, checkText(id, 'id'));
    return found && readableKinds(identity.scopes).includes(found.kind) ? toRecord(found) : null;
  }

  /** Also refuses, with CUSTOMER_NOT_FOUND, to say of a stranger that nothing was decided. */
  @ResolveField('decisions')
  async listDecisions(
    @Parent() customer: { id: string },
    @Args('first') first: number | null,
    @Context() context: RequestContext,
  ): Promise<DecisionRecord[]> {
    const { identity } = context;
    await this.loaders.of(context).states.load(customer.id);
    const page = { kinds: readableKinds(identity.scopes), first: checkPageSize(first ?? 20, MAX_DECISIONS) };
    const found = await this.decisions.listOfSubject(identity.tenantId, customer.id, page);
    return found.map(toRecord);
  }
}

export function readableKinds(scopes: readonly string[]): DecisionKind[] {
  return (Object.keys(SCOPE_OF_KIND) as DecisionKind[]).filter((kind) =>
    scopes.includes(SCOPE_OF_KIND[kind]),
  );
}

export function toRecord(logged: LoggedDecision): DecisionRecord {
  const { id, kind, subject, at, modelVersion, rung, inputHash: featureHash, output, propensity } = logged;
  return { id, kind, subject, at, modelVersion, rung, featureHash, output, propensity, logged };
}
