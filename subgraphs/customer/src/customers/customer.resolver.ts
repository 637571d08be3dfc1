import { DomainError, type Page } from '@sextant/domain';
import { Args, Context, Parent, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import { customerIdOf, type Scalar } from '@sextant/features';
import type { RequestContext } from '@sextant/platform';
import type { CustomerEvent } from '../ingestion/event.repository.js';
import type { PageArguments } from '../page.js';
import type { Customer } from './customer.js';
import { CustomerLoader } from './customer.loader.js';
import { type CustomerFilter, CustomerService, type FeatureVectorView } from './customer.service.js';
import { lifecycleOf, type LifecycleStage } from './lifecycle.js';

const MAX_IDS = 100;

interface EventArguments extends PageArguments {
  types?: string[] | null;
  since?: Date | null;
}

@Resolver('Customer')
export class CustomerResolver {
  constructor(
    private readonly customers: CustomerService,
    private readonly loader: CustomerLoader,
  ) {}

  @Query()
  customer(
    @Args() { id, ref }: { id?: string | null; ref?: string | null },
    @Context() context: RequestContext,
  ): Promise<Customer | null> {
    if ((id == null) === (ref == null))
      throw new DomainError('INVALID_INPUT', 'give id or ref, one of the two', { path: 'id' });
    return this.loader.byId.load(context, id ?? customerIdOf(context.identity.tenantId, ref ?? ''));
  }

  @Query('customers')
  listCustomers(
    @Args() { filter, ...page }: PageArguments & { filter?: CustomerFilter | null },
    @Context() context: RequestContext,
  ): Promise<Page<Customer>> {
    return this.customers.list(context.identity.tenantId, filter ?? {}, page);
  }

  @Query()
  customersByIds(
    @Args('ids') ids: string[],
    @Context() context: RequestContext,
  ): Promise<(Customer | null)[]> {
    if (ids.length > MAX_IDS)
      throw new DomainError('INVALID_INPUT', `at most ${MAX_IDS} ids, got ${ids.length}`, { path: 'ids' });
    return Promise.all(ids.map((id) => this.loader.byId.load(context, id)));
  }

  @ResolveReference()
  resolveReference(
    reference: { id?: string; ref?: string },
    context: RequestContext,
  ): Promise<Customer | null> {
    return this.loader.byId.load(
      context,
      reference.id ?? customerIdOf(context.identity.tenantId, reference.ref ?? ''),
    );
  }

  @ResolveField()
  lifecycle(@Parent() customer: Customer): LifecycleStage {
    return lifecycleOf(customer.activity, this.customers.now());
  }

  @ResolveField()
  account(@Parent() { accountRef }: Customer): { id: string } | null {
    return accountRef === null ? null : { id: accountRef };
  }

  @ResolveField()
  traits(@Parent() { traits }: Customer, @Args('keys') keys?: string[] | null): Record<string, Scalar> {
    if (!keys) return { ...traits };
    return Object.fromEntries(Object.entries(traits).filter(([name]) => keys.includes(name)));
  }

  @ResolveField()
  identities(@Parent() { ref, firstSeenAt }: Customer) {
    const colon = ref.indexOf(':');
    return [
      {
        source: colon > 0 ? ref.slice(0, colon) : null,
        externalId: ref.slice(colon + 1),
        linkedAt: firstSeenAt,
      },
    ];
  }

  @ResolveField()
  events(
    @Parent() { id }: Customer,
    @Args() { types, since, ...page }: EventArguments,
    @Context() context: RequestContext,
  ): Promise<Page<CustomerEvent>> {
    const query = { ...page, types: types ?? null, since: since ?? null };
    return this.customers.eventsOf(context.identity.tenantId, id, query);
  }

  @ResolveField()
  async featureVector(
    @Parent() { id }: Customer,
    @Args('set') set: string,
    @Context() context: RequestContext,
  ): Promise<FeatureVectorView | null> {
    return this.customers.featureVector(set, await this.loader.stateById.load(context, id));
  }
}
