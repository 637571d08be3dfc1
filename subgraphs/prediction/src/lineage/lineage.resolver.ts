import { DomainError } from '@sextant/domain';
import { customerIdOf } from '@sextant/features';
import { type ModelVersion, ModelVersions, TrainingMembers } from '@sextant/model-registry';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { ModelReference } from '../decision/decision.js';
import { checkText } from '../input-checks.js';

const MAX_REF_CHARACTERS = 256;

/** Who was learnt from, asked from the customer's side and from the version's. */
@Resolver('ModelVersion')
export class LineageResolver {
  private readonly counts: RequestLoaders<string, number | null>;

  constructor(
    private readonly members: TrainingMembers,
    private readonly versions: ModelVersions,
  ) {
    this.counts = new RequestLoaders(
      async (tenantId, ids) => {
        const counts = await members.countMany(tenantId, ids);
        return ids.map((id) => counts.get(id) ?? null);
      },
      (id) => id,
    );
  }

  @Query()
  async trainedOn(
    @Args() { customerId, customerRef }: { customerId?: string | null; customerRef?: string | null },
    @Context() { identity: { tenantId } }: RequestContext,
  ): Promise<ModelVersion[]> {
    if ((customerId == null) === (customerRef == null))
      throw new DomainError('INVALID_INPUT', 'give customerId or customerRef, one of the two', {
        path: 'customerId',
      });
    const id =
      customerId == null
        ? customerIdOf(tenantId, checkText(customerRef ?? '', 'customerRef', MAX_REF_CHARACTERS))
        : checkText(customerId, 'customerId');
    const ids = await this.members.versionsTrainedOn(tenantId, id);
    const versions = await this.versions.findMany(tenantId, ids);
    return versions.toSorted((a, b) => b.trainedAt.getTime() - a.trainedAt.getTime());
  }

  @ResolveField()
  trainingCustomers(
    @Parent() { id }: ModelReference,
    @Context() context: RequestContext,
  ): Promise<number | null> {
    return this.counts.load(context, id);
  }
}
