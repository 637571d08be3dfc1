import { type DecimalMoney, toDecimal, type Page } from '@sextant/domain';
import {
  Args,
  Context,
  Mutation,
  Parent,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import type { UserError } from '../row-errors.js';
import type { Campaign, CampaignInput } from './campaign.js';
import { CampaignLoader } from './campaign.loader.js';
import { CampaignService } from './campaign.service.js';

@Resolver('Campaign')
export class CampaignResolver {
  constructor(
    private readonly service: CampaignService,
    private readonly loader: CampaignLoader,
  ) {}

  @Query()
  campaign(@Args('id') id: string, @Context() context: RequestContext): Promise<Campaign | null> {
    return this.loader.byId.load(context, id);
  }

  @Query()
  campaigns(
    @Args() page: { first: number; after?: string | null },
    @Context() context: RequestContext,
  ): Promise<Page<Campaign>> {
    return this.service.list(context.identity.tenantId, page);
  }

  @Mutation()
  createCampaign(
    @Args('input') input: CampaignInput,
    @Context() context: RequestContext,
  ): Promise<{ campaign: Campaign | null; userErrors: UserError[] }> {
    return this.service.create(context.identity.tenantId, input);
  }

  @ResolveReference()
  resolveReference(reference: { id: string }, context: RequestContext): Promise<Campaign | null> {
    return this.loader.byId.load(context, reference.id);
  }

  @ResolveField()
  budget(@Parent() { budget }: Campaign): DecimalMoney | null {
    return budget && toDecimal(budget);
  }
}
