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
import { checkPageSize } from '@sextant/domain';
import { featureVector } from '@sextant/features';
import type { RequestContext } from '@sextant/platform';
import { CustomerLoader } from '../customers/customer.loader.js';
import { CustomerService } from '../customers/customer.service.js';
import type { Customer } from '../customers/customer.js';
import { withUserErrors } from '@sextant/platform';
import { inOrder, membershipsOf, type SegmentMembership } from './membership.js';
import { SegmentDiscovery } from './segment-discovery.service.js';
import { SegmentLoader } from './segment.loader.js';
import { SegmentService, type SegmentInput } from './segment.service.js';
import {
  type Discovery,
  kindOf,
  MOST_SEGMENTS,
  PREVIEW_SIZE,
  type Segment,
  type SegmentKind,
  type SegmentSize,
} from './segment.js';
import { definitionView, profileView, type TraitView } from './segment-view.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Asking for segments, finding and making them. */
@Resolver('Segment')
export class SegmentResolver {
  constructor(
    private readonly service: SegmentService,
    private readonly discovery: SegmentDiscovery,
    private readonly loader: SegmentLoader,
  ) {}

  @Query()
  segment(@Args('id') id: string, @Context() context: RequestContext): Promise<Segment | null> {
    return this.loader.byId.load(context, id);
  }

  @Query('segments')
  async listSegments(
    @Args('kind') kind: SegmentKind | null | undefined,
    @Context() context: RequestContext,
  ): Promise<Segment[]> {
    const { segments } = await this.loader.model(context);
    return segments.filter((segment) => kind == null || kindOf(segment) === kind);
  }

  @Query()
  segmentDiscovery(@Context() context: RequestContext): Promise<Discovery | null> {
    return this.discovery.newest(context.identity.tenantId);
  }

  @Mutation()
  createSegment(@Args('input') input: SegmentInput, @Context() { identity }: RequestContext) {
    return withUserErrors('segment', () => this.service.create(identity.tenantId, input));
  }

  @Mutation()
  async discoverSegments(
    @Args('input') input: { maxSegments?: number | null } | null | undefined,
    @Context() { identity }: RequestContext,
  ) {
    const { tenantId } = identity;
    const payload = await withUserErrors('discovery', () =>
      this.discovery.discover(tenantId, input?.maxSegments ?? 0),
    );
    const segments = await this.discovery.inForce(tenantId);
    return { ...payload, segments: segments.filter((segment) => kindOf(segment) === 'CLUSTER') };
  }

  @Mutation()
  refreshSegments(@Context() { identity }: RequestContext) {
    return withUserErrors('segments', async () => {
      await this.discovery.refresh(identity.tenantId);
      return this.discovery.inForce(identity.tenantId);
    });
  }
}

/** What a segment says of itself; `kind`, `definition` and `profile` are views of what is stored. */
@Resolver('Segment')
export class SegmentFieldsResolver {
  constructor(
    private readonly loader: SegmentLoader,
    private readonly customers: CustomerLoader,
    private readonly clock: CustomerService,
  ) {}

  @ResolveReference()
  resolveReference({ id }: { id: string }, context: RequestContext): Promise<Segment | null> {
    return this.loader.byId.load(context, id);
  }

  @ResolveField()
  kind(@Parent() segment: Segment): SegmentKind {
    return kindOf(segment);
  }

  @ResolveField()
  definition(@Parent() { definition }: Segment): unknown {
    return definitionView(definition);
  }

  @ResolveField()
  profile(@Parent() { profile }: Segment): TraitView[] {
    return profileView(profile);
  }

  @ResolveField()
  sizeHistory(@Parent() { sizeHistory }: Segment, @Args('days') days: number): SegmentSize[] {
    const since = this.clock.now().getTime() - days * DAY_MS;
    return sizeHistory.filter(({ at }) => at.getTime() >= since);
  }

  @ResolveField()
  async preview(
    @Parent() { previewIds }: Segment,
    @Args('first') first: number,
    @Context() context: RequestContext,
  ): Promise<Customer[]> {
    const ids = previewIds.slice(0, checkPageSize(first, PREVIEW_SIZE));
    const found = await Promise.all(ids.map((id) => this.customers.byId.load(context, id)));
    return found.filter((customer) => customer !== null);
  }
}

/** The segments of a customer, computed from the online state at the moment of asking. */
@Resolver('Customer')
export class CustomerSegmentsResolver {
  constructor(
    private readonly loader: SegmentLoader,
    private readonly customers: CustomerLoader,
    private readonly clock: CustomerService,
  ) {}

  @ResolveField()
  async segments(
    @Parent() { id }: { id: string },
    @Args('first') first: number,
    @Context() context: RequestContext,
  ): Promise<SegmentMembership[]> {
    const most = checkPageSize(first, MOST_SEGMENTS);
    const [model, state] = await Promise.all([
      this.loader.model(context),
      this.customers.stateById.load(context, id),
    ]);
    if (!state) return [];
    return inOrder(membershipsOf(model, featureVector(state, this.clock.now()))).slice(0, most);
  }
}
