import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { type ConsentPolicy, TrainingConsents } from '@sextant/features';
import type { RequestContext } from '@sextant/platform';
import { CustomerLoader } from '../customers/customer.loader.js';
import { CustomerService } from '../customers/customer.service.js';
import { withUserErrors } from '@sextant/platform';
import { type ConsentView, consentVersion, consentViews } from './consent.js';
import { ConsentService, type SetConsentInput } from './consent.service.js';

@Resolver('Customer')
export class ConsentResolver {
  constructor(
    private readonly service: ConsentService,
    private readonly policies: TrainingConsents,
    private readonly customers: CustomerLoader,
    private readonly clock: CustomerService,
  ) {}

  @Query()
  consentPolicy(@Context() { identity }: RequestContext): Promise<ConsentPolicy> {
    return this.policies.findPolicy(identity.tenantId);
  }

  @Mutation()
  setConsent(@Args('input') input: SetConsentInput, @Context() context: RequestContext) {
    return withUserErrors('customer', async () => {
      const id = await this.service.set(context.identity.tenantId, input);
      this.customers.stateById.clear(context, id);
      return this.customers.byId.load(context, id);
    });
  }

  @Mutation()
  setConsentPolicy(
    @Args('input') { learnsFromUnknown }: ConsentPolicy,
    @Context() { identity }: RequestContext,
  ) {
    return withUserErrors('policy', async () => {
      await this.policies.savePolicy(identity.tenantId, { learnsFromUnknown });
      return { learnsFromUnknown };
    });
  }

  @ResolveField()
  async consents(
    @Parent() { id }: { id: string },
    @Context() context: RequestContext,
  ): Promise<ConsentView[]> {
    const state = await this.customers.stateById.load(context, id);
    return consentViews(state?.consents ?? {}, this.clock.now());
  }
  @ResolveField('consentVersion')
  async version(@Parent() { id }: { id: string }, @Context() context: RequestContext): Promise<string> {
    const state = await this.customers.stateById.load(context, id);
    return consentVersion(consentViews(state?.consents ?? {}, this.clock.now()));
  }
}
