import type { ListedAccessKey } from '@sextant/access-keys';
import type { Page } from '@sextant/domain';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import { type RequestContext, withUserErrors } from '@sextant/platform';
import type { PageArguments } from '../page.js';
import { AccessKeyService, type CreateAccessKeyInput } from './access-key.service.js';
import { AuditLogService, type AuditRecordView } from './audit-log.service.js';

@Resolver()
export class AccessResolver {
  constructor(
    private readonly keys: AccessKeyService,
    private readonly audit: AuditLogService,
  ) {}

  @Query()
  accessKeys(
    @Args() page: PageArguments,
    @Context() { identity }: RequestContext,
  ): Promise<Page<ListedAccessKey>> {
    return this.keys.list(identity.tenantId, page);
  }

  @Query()
  auditLog(
    @Args() page: PageArguments,
    @Context() { identity }: RequestContext,
  ): Promise<Page<AuditRecordView>> {
    return this.audit.list(identity.tenantId, page);
  }

  @Mutation()
  async createAccessKey(@Args('input') input: CreateAccessKeyInput, @Context() { identity }: RequestContext) {
    const { created, userErrors } = await withUserErrors('created', () => this.keys.create(identity, input));
    return { accessKey: created?.accessKey ?? null, secret: created?.secret ?? null, userErrors };
  }

  @Mutation()
  revokeAccessKey(@Args('id') id: string, @Context() { identity }: RequestContext) {
    return withUserErrors('accessKey', () => this.keys.revoke(identity.tenantId, id));
  }
}
