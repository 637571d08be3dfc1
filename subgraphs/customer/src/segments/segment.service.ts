import { Inject, Injectable } from '@nestjs/common';
import { DomainError } from '@sextant/domain';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { membershipsOf } from './membership.js';
import { PopulationService } from './population.service.js';
import { newSegmentId, SegmentDiscovery } from './segment-discovery.service.js';
import { fitLookalike } from './segment-fitter.js';
import { parseRule } from './segment-rule.js';
import {
  kindOf,
  MOST_CLUSTERS,
  MOST_SEGMENTS,
  type Segment,
  type SegmentDefinition,
  type SegmentKind,
} from './segment.js';
import { SegmentRepository } from './segment.repository.js';

export interface SegmentInput {
  name: string;
  kind: SegmentKind;
  definition?: unknown;
  seedSegmentId?: string | null;
  size?: number | null;
  idempotencyKey?: string | null;
}

const MAX_NAME = 200;
const MAX_KEY = 128;
/** RULE and LOOKALIKE; together with the clusters of a discovery no more than a list of segments has. */
const MOST_MADE = MOST_SEGMENTS - MOST_CLUSTERS;
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
   * Makes a segment and counts it. The same call again, or the same idempotency key, gives the segment made before.
   *
   * @throws DomainError INVALID_INPUT, DATA_INSUFFICIENT, SEGMENT_NOT_FOUND, IDEMPOTENCY_CONFLICT
   */
  async create(tenantId: string, input: SegmentInput): Promise<Segment> {
    const name = input.name.trim();
    requireText('name', name, MAX_NAME);
    const key = input.idempotencyKey ?? null;
    if (key !== null) requireText('idempotencyKey', key, MAX_KEY);
    const asked = { ...input, name };
    const earlier = await this.findEarlier(tenantId, asked, key);
    if (earlier) return earlier;
    await this.checkRoom(tenantId);
    const { definition, stability } = await this.define(tenantId, input);
    const segment = newSegment(name, { definition, stability }, this.surroundings.clock.now());
    if (!(await this.segments.insert(tenantId, segment, key))) {
      const meanwhile = await this.findEarlier(tenantId, asked, key);
      if (meanwhile) return meanwhile;
      throw conflict('name', 'another call changed the segments at the same time: send the same again');
    }
    await this.discovery.refresh(tenantId);
    const [counted] = await this.segments.findByIds(tenantId, [segment.id]);
    return counted ?? segment;
  }

  /** What an earlier call of the same meaning made. @throws DomainError IDEMPOTENCY_CONFLICT for one of another meaning */
  private async findEarlier(
    tenantId: string,
    input: SegmentInput,
    key: string | null,
  ): Promise<Segment | null> {
    const byKey = key === null ? null : await this.segments.findByKey(tenantId, key);
    if (byKey) {
      if (byKey.name === input.name && isSame(byKey, input)) return byKey;
      throw conflict('idempotencyKey', 'this idempotency key was used for another segment: use a new one');
    }
    const byName = await this.segments.findByName(tenantId, input.name);
    if (!byName) return null;
    if (!isSame(byName, input))
      throw conflict('name', `there is another segment "${byName.name}": choose another name`);
    if (key !== null) await this.segments.noteKey(tenantId, byName.id, key);
    return byName;
  }

  private async checkRoom(tenantId: string): Promise<void> {
    const inForce = await this.segments.list(tenantId);
    if (inForce.filter((segment) => kindOf(segment) !== 'CLUSTER').length < MOST_MADE) return;
    const message = `a tenant has at most ${MOST_MADE} segments beside those that are found: widen one of them`;
    throw new DomainError('BATCH_TOO_LARGE', message, { path: 'name' });
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

function newSegment(
  name: string,
  { definition, stability }: Pick<Segment, 'definition' | 'stability'>,
  now: Date,
): Segment {
  const uncounted = { size: 0, measuredAt: now, sizeHistory: [], profile: [], previewIds: [] };
  return { id: newSegmentId(), name, definition, stability, createdAt: now, ...uncounted };
}

function isSame(
  { definition: own }: Segment,
  { kind, definition, seedSegmentId, size }: SegmentInput,
): boolean {
  if (own.kind !== kind) return false;
  if (own.kind === 'RULE') return JSON.stringify(own.rule) === JSON.stringify(parseRule(definition));
  return own.kind === 'LOOKALIKE' && own.seedSegmentId === seedSegmentId && own.audience === size;
}

function conflict(path: string, message: string): DomainError {
  return new DomainError('IDEMPOTENCY_CONFLICT', message, { path });
}

function requireText(path: string, text: string, most: number): void {
  if (text.length >= 1 && text.length <= most) return;
  throw new DomainError('INVALID_INPUT', `${path} must have 1 to ${most} characters`, { path });
}
