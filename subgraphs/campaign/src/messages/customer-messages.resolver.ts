import type { Page } from '@sextant/domain';
import { Args, Context, Parent, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import type { RequestContext } from '@sextant/platform';
import type { Message } from './message.js';
import { MessageService } from './message.service.js';

/** What this subgraph adds to people, who belong to the customer subgraph. */
@Resolver('Customer')
export class CustomerMessagesResolver {
  constructor(private readonly service: MessageService) {}

  @ResolveReference()
  resolveReference({ id }: { id: string }): { id: string } {
    return { id };
  }

  @ResolveField()
  messages(
    @Parent() customer: { id: string },
    @Args() { first, after }: { first: number; after?: string | null },
    @Context() context: RequestContext,
  ): Promise<Page<Message>> {
    return this.service.list(context.identity.tenantId, {
      customerId: customer.id,
      first,
      after: after ?? null,
    });
  }
}
