import type { Page } from '@sextant/domain';
import { Args, Context, Parent, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import type { Scalar } from '@sextant/features';
import type { RequestContext } from '@sextant/platform';
import type { Customer } from '../customers/customer.js';
import { CustomerService } from '../customers/customer.service.js';
import type { PageArguments } from '../page.js';
import { accountName, firmographicsOf } from './account.js';
import { AccountLoader } from './account.loader.js';
import { AccountService } from './account.service.js';

/** An account that is known to be one of the tenant. */
interface AccountReference {
  id: string;
}

@Resolver('Account')
export class AccountResolver {
  constructor(
    private readonly accounts: AccountService,
    private readonly loader: AccountLoader,
    private readonly customers: CustomerService,
  ) {}

  @Query()
  account(@Args('id') id: string, @Context() context: RequestContext): Promise<AccountReference | null> {
    return this.find(id, context);
  }

  @ResolveReference()
  resolveReference({ id }: AccountReference, context: RequestContext): Promise<AccountReference | null> {
    return this.find(id, context);
  }

  @ResolveField()
  async name(@Parent() { id }: AccountReference, @Context() context: RequestContext): Promise<string | null> {
    const account = await this.loader.byRef.load(context, id);
    return account && accountName(account);
  }

  @ResolveField()
  async firmographics(
    @Parent() { id }: AccountReference,
    @Context() context: RequestContext,
  ): Promise<Record<string, Scalar> | null> {
    const account = await this.loader.byRef.load(context, id);
    return account && firmographicsOf(account);
  }

  @ResolveField()
  members(
    @Parent() { id }: AccountReference,
    @Args() page: PageArguments,
    @Context() context: RequestContext,
  ): Promise<Page<Customer>> {
    return this.customers.list(context.identity.tenantId, { accountId: id }, page);
  }

  private async find(id: string, { identity }: RequestContext): Promise<AccountReference | null> {
    return (await this.accounts.isKnown(identity.tenantId, id)) ? { id } : null;
  }
}
