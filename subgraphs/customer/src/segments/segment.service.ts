import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '@sextant/domain';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { membershipsOf } from './membership.js';
import { PopulationService } from './population.service.js';
import { newSegmentId, SegmentDiscovery } from './segment-discovery.service.js';
import { fitLookalike } from './segment-fitter.js';
import { parseRule } from './segment-rule.js';
import type { Segment, SegmentDefinition, SegmentKind } from './segment.js';
import { SegmentRepository } from './segment.repository.js';

export interface SegmentInput {
  name: string;
  kind: SegmentKind;
  definition?: unknown;
  seedSegmentId?: string | null;
  size?: number | null;
}

const MAX_NAME = 200;
const MAX_SEGMENTS = 200;
/** Customers that a lookalike is fitted on and its threshold set by. */
const LOOKALIKE_CUSTOMERS = 20_000;
const SEED = 1;

@Injectable()
export class SegmentService {
  constructor(
    private readonly segments: SegmentRepository,
    private readonly population: PopulationService,
    private readonly discovery: SegmentDiscovery,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /**
   * Makes a segment and counts it. The same call again gives the segment made before.
   *
   * @throws DomainError INVALID_INPUT, DATA_INSUFFICIENT, SEGMENT_NOT_FOUND, IDEMPOTENCY_CONFLICT
   */
  async create(tenantId: string, input: SegmentInput): Promise<Segment> {
    const name = input.name.trim();
    if (name === '' || name.length > MAX_NAME)
      throw new DomainError('INVALID_INPUT', `name must have 1 to ${MAX_NAME} characters`, { path: 'name' });
    const existing = await this.segments.findByName(tenantId, name);
    if (existing) return sameAs(existing, input);
    const inForce = await this.segments.list(tenantId);
    if (inForce.length >= MAX_SEGMENTS)
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `a tenant has at most ${MAX_SEGMENTS} segments: widen one of them`,
        {
          path: 'name',
        },
      );
    const { definition, stability } = await this.define(tenantId, input);
    const now = this.surroundings.clock.now();
    const segment: Segment = {
      id: newSegmentId(),
      name,
      definition,
      size: 0,
      measuredAt: now,
      sizeHistory: [],
      profile: [],
      stability,
      previewIds: [],
      createdAt: now,
    };
    await this.segments.insert(tenantId, segment);
    await this.discovery.refresh(tenantId);
    const [counted] = await this.segments.findByIds(tenantId, [segment.id]);
    return counted ?? segment;
  }

  private define(
    tenantId: string,
    input: SegmentInput,
  ): Promise<{ definition: SegmentDefinition; stability: number | null }> {
    if (input.kind === 'RULE')
      return Promise.resolve({
        definition: { kind: 'RULE', rule: parseRule(input.definition) },
        stability: null,
      });
    if (input.kind === 'LOOKALIKE') return this.defineLookalike(tenantId, input);
    const message =
      input.kind === 'CLUSTER'
        ? 'CLUSTER segments are found, not made: call discoverSegments'
        : 'PREDICTED segments need stored scores, and scores are computed when they are asked for: make a RULE over features, or a LOOKALIKE of those who did it before';
    throw new DomainError('INVALID_INPUT', message, { path: 'kind' });
  }

  private async defineLookalike(
    tenantId: string,
    { seedSegmentId, size }: SegmentInput,
  ): Promise<{ definition: SegmentDefinition; stability: number }> {
    if (!seedSegmentId || size == null || size < 1)
      throw new DomainError('INVALID_INPUT', 'a LOOKALIKE needs seedSegmentId and a size of at least 1', {
        path: seedSegmentId ? 'size' : 'seedSegmentId',
      });
    const seed = await this.seedOf(tenantId, seedSegmentId);
    const behaviour = await this.segments.findModel(tenantId);
    const { customers, isWhole, read } = await this.population.sample(tenantId, LOOKALIKE_CUSTOMERS);
    const isSeed = customers.map(
      ({ features }) => membershipsOf({ segments: [seed], behaviour }, features).length,
    );
    const share = isWhole ? 1 : read / Math.max(read, await this.population.count(tenantId));
    const found = await fitLookalike({
      kind: 'lookalike',
      customers: customers.map((customer) => customer.behaviour),
      isSeed,
      size: Math.max(1, Math.round(size * share)),
      seed: SEED,
      credibilities: behaviour?.credibilities ?? null,
    });
    const { credibilities, model, auc, expansion } = found;
    return {
      definition: { kind: 'LOOKALIKE', seedSegmentId, audience: size, credibilities, model, expansion },
      stability: auc,
    };
  }

  private async seedOf(tenantId: string, seedSegmentId: string): Promise<Segment> {
    const segments = await this.segments.list(tenantId);
    const seed = segments.find(({ id }) => id === seedSegmentId);
    if (!seed)
      throw new DomainError(
        'SEGMENT_NOT_FOUND',
        `no segment ${seedSegmentId} is in force: take one of segments`,
        {
          path: 'seedSegmentId',
        },
      );
    if (seed.definition.kind === 'LOOKALIKE')
      throw new DomainError('INVALID_INPUT', 'the seed is a LOOKALIKE itself: take the seed of that one', {
        path: 'seedSegmentId',
      });
    return seed;
  }
}

/** The segment, when the input means the same one. @throws DomainError IDEMPOTENCY_CONFLICT otherwise */
function sameAs(existing: Segment, { kind, definition, seedSegmentId, size }: SegmentInput): Segment {
  const own = existing.definition;
  const isSame =
    own.kind === 'RULE'
      ? kind === 'RULE' && JSON.stringify(own.rule) === JSON.stringify(parseRule(definition))
      : own.kind === 'LOOKALIKE' &&
        kind === 'LOOKALIKE' &&
        own.seedSegmentId === seedSegmentId &&
        own.audience === size;
  if (isSame) return existing;
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    `there is another segment "${existing.name}": choose another name`,
    {
      path: 'name',
    },
  );
}
