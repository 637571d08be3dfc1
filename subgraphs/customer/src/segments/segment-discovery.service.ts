import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '@sextant/domain';
import { asDomainError } from '@sextant/platform';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import type { BehaviourModel } from './membership.js';
import { PopulationService } from './population.service.js';
import { fitSegments } from './segment-fitter.js';
import type { Discovered } from './segment-fit.messages.js';
import { type Discovery, MOST_CLUSTERS, type Segment } from './segment.js';
import { SegmentRepository } from './segment.repository.js';

/** Customers that segments are fitted on; more change nothing but the time. */
const FIT_CUSTOMERS = 5_000;
const SEED = 1;
const DEFAULT_MAX_SEGMENTS = 8;
/** A discovery that runs longer was lost with its process. */
const STALE_MS = 10 * 60_000;
/** How long the mutation waits for the end before it answers that the discovery runs. */
const WAIT_MS = 8_000;

/** Finds clusters of behaviour. One discovery of a tenant at a time, in a thread; the newest is what the graph shows. */
@Injectable()
export class SegmentDiscovery {
  constructor(
    private readonly segments: SegmentRepository,
    private readonly population: PopulationService,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /**
   * Begins a discovery, unless one runs, and waits a few seconds for its end.
   *
   * @param maxSegments  largest number of clusters to try; 0: the usual one
   * @throws DomainError INVALID_INPUT, or what made the discovery fail
   */
  async discover(tenantId: string, maxSegments: number): Promise<Discovery> {
    if (maxSegments !== 0 && (maxSegments < 2 || maxSegments > MOST_CLUSTERS))
      throw new DomainError(
        'INVALID_INPUT',
        `maxSegments must be 2 to ${MOST_CLUSTERS}, or 0 for the usual, got ${maxSegments}`,
        {
          path: 'maxSegments',
        },
      );
    const now = this.surroundings.clock.now();
    if (await this.segments.begin(tenantId, now, new Date(now.getTime() - STALE_MS)))
      await atMost(WAIT_MS, this.run(tenantId, maxSegments || DEFAULT_MAX_SEGMENTS));
    const discovery = await this.segments.findDiscovery(tenantId);
    if (!discovery) throw new DomainError('TRAINING_FAILED', 'the discovery is gone: start it again');
    return discovery;
  }

  /** Counts all segments of a tenant anew and looks for an emerging one. */
  async refresh(tenantId: string): Promise<void> {
    const [segments, behaviour] = await Promise.all([
      this.segments.list(tenantId),
      this.segments.findModel(tenantId),
    ]);
    const { counts, emerging } = await this.population.measure(tenantId, { segments, behaviour });
    await this.segments.saveCounts(tenantId, counts, this.surroundings.clock.now());
    if (behaviour) await this.segments.update(tenantId, { emerging });
  }

  newest(tenantId: string): Promise<Discovery | null> {
    return this.segments.findDiscovery(tenantId);
  }

  inForce(tenantId: string): Promise<Segment[]> {
    return this.segments.list(tenantId);
  }

  /** Never rejects: a failure is what the discovery then shows. */
  private async run(tenantId: string, maxSegments: number): Promise<void> {
    try {
      await this.fit(tenantId, maxSegments);
      await this.refresh(tenantId);
      await this.finish(tenantId, { state: 'SUCCEEDED', failure: null });
    } catch (error) {
      const known = asDomainError(error);
      if (!known) this.surroundings.logger.error({ err: error, tenantId }, 'a discovery of segments failed');
      const failure = known
        ? { code: known.code, message: known.message }
        : { code: 'TRAINING_FAILED', message: 'the discovery failed: see the log of the customer subgraph' };
      await this.finish(tenantId, { state: 'FAILED', failure }).catch((cause: unknown) => {
        this.surroundings.logger.error({ err: cause, tenantId }, 'the end of a discovery was not stored');
      });
    }
  }

  private finish(tenantId: string, end: Pick<Discovery, 'state' | 'failure'>): Promise<void> {
    return this.segments.update(tenantId, { ...end, finishedAt: this.surroundings.clock.now() });
  }

  private async fit(tenantId: string, maxSegments: number): Promise<void> {
    const { customers } = await this.population.sample(tenantId, FIT_CUSTOMERS);
    const [previous, before] = await Promise.all([
      this.segments.findModel(tenantId),
      this.segments.list(tenantId),
    ]);
    const found = await fitSegments({
      kind: 'discover',
      customers: customers.map(({ behaviour }) => behaviour),
      maxSegments,
      seed: SEED,
      previous,
    });
    const fittedAt = this.surroundings.clock.now();
    const generation = (previous?.generation ?? 0) + 1;
    const { credibilities, segmentation, because, candidates } = found;
    const model: BehaviourModel = { credibilities, segmentation, fittedAt, generation };
    await this.segments.replaceClusters(
      tenantId,
      clustersOf(found, { before, fittedAt, generation }),
      fittedAt,
    );
    await this.segments.update(tenantId, { model, because, candidates, emerging: null });
  }
}

/** The clusters as segments: a continued one keeps its id, its history and the time it was made. */
function clustersOf(
  { clusters, stability }: Discovered,
  { before, fittedAt, generation }: { before: readonly Segment[]; fittedAt: Date; generation: number },
): Segment[] {
  return clusters.map(({ name, profile, previous }, cluster) => {
    const old = before.find(
      ({ definition }) => definition.kind === 'CLUSTER' && definition.cluster === previous,
    );
    return {
      id: old?.id ?? newSegmentId(),
      name,
      definition: { kind: 'CLUSTER', cluster, generation },
      size: 0,
      measuredAt: fittedAt,
      sizeHistory: [],
      profile,
      stability,
      previewIds: [],
      createdAt: old?.createdAt ?? fittedAt,
    };
  });
}

export function newSegmentId(): string {
  return `seg_${randomBytes(12).toString('hex')}`;
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
