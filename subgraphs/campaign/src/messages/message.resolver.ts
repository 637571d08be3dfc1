import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import type { Campaign } from '../campaigns/campaign.js';
import { CampaignLoader } from '../campaigns/campaign.loader.js';
import type { UserError } from '../row-errors.js';
import type { Message, MessageInput } from './message.js';
import { MessageService } from './message.service.js';

@Resolver('Message')
export class MessageResolver {
  constructor(
    private readonly service: MessageService,
    private readonly campaigns: CampaignLoader,
  ) {}

  @Mutation()
  recordMessages(
    @Args('messages') messages: MessageInput[],
    @Context() context: RequestContext,
  ): Promise<{ recorded: number; duplicates: number; userErrors: UserError[] }> {
    return this.service.record(context.identity.tenantId, messages);
  }

  @ResolveField()
  campaign(
    @Parent() { campaignId }: Message,
    @Context() context: RequestContext,
  ): Promise<Campaign | null> | null {
    return campaignId === null ? null : this.campaigns.byId.load(context, campaignId);
  }
}
