import { type Change, ChangeFeed, cursorOf, type FeedSubscription, startOf } from '@sextant/change-streams';
import type { StreamContext } from '@sextant/platform';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { Args, Context, Resolver, Subscription } from '@nestjs/graphql';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { type Segment, kindOf } from './segment.js';
import { SegmentRepository } from './segment.repository.js';

export type SegmentChangeKind = 'CREATED' | 'DISCOVERED' | 'MEASURED' | 'RETIRED';

/** `SegmentChange` of the graph. */
export interface SegmentEvent {
  cursor: string;
  kind: SegmentChangeKind;
  segment: Segment;
  size: number;
  growth: number | null;
}

/** What is written for the graph alone, and changes nothing of a segment. */
const NO_CHANGE = 'idempotencyKeys';

/** Changes of segments, read once for this process. */
@Injectable()
export class SegmentFeed implements BeforeApplicationShutdown {
  readonly changes: ChangeFeed<Segment>;

  constructor(segments: SegmentRepository, @Inject(SURROUNDINGS) { logger }: Surroundings) {
    const { collection, read } = segments.watched();
    this.changes = new ChangeFeed(collection, {
      read,
      isVisible: ({ changed }) => changed.size === 0 || [...changed].some((field) => field !== NO_CHANGE),
      onProblem: (error) => logger.warn({ err: error }, 'a change stream broke; it is opened again'),
    });
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.changes.close();
  }
}

@Resolver('Subscription')
export class SegmentStreamResolver {
  constructor(private readonly feed: SegmentFeed) {}

  @Subscription('segmentChanges', { resolve: (event: unknown) => event })
  segmentChanges(
    @Args() { segmentId, after }: { segmentId?: string | null; after?: string | null },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<SegmentEvent>> {
    return this.feed.changes.subscribe({
      tenantId: context.identity.tenantId,
      after: startOf(context, after),
      select: (change) => (segmentId == null || change.document.id === segmentId ? eventOf(change) : null),
    });
  }
}

function eventOf(change: Change<Segment>): SegmentEvent {
  const { document: segment, position } = change;
  const { size, sizeHistory } = segment;
  const before = sizeHistory.at(-2)?.size;
  return {
    cursor: cursorOf(position),
    kind: kindOfChange(change),
    segment,
    size,
    growth: before === undefined ? null : size - before,
  };
}

function kindOfChange({ kind, changed, document }: Change<Segment>): SegmentChangeKind {
  if (kind === 'insert') return kindOf(document) === 'CLUSTER' ? 'DISCOVERED' : 'CREATED';
  if (changed.has('definition')) return 'DISCOVERED';
  return changed.has('retiredAt') ? 'RETIRED' : 'MEASURED';
}
