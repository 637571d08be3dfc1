import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type CustomerState, FeatureStore, featureVector, type FeatureVector } from '@sextant/features';
import { BEHAVIOUR_RATES, behaviourRow, findEmerging, hasBehaviour } from '@sextant/learning/segment';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';
import { type BehaviourModel, membershipsOf, type SegmentModel } from './membership.js';
import type { BehaviourInput } from './segment-fit.messages.js';
import { type EmergingRegion, PREVIEW_SIZE } from './segment.js';
import type { SegmentCount } from './segment.repository.js';

/** Customers read at once; short enough that a page does not hold up the event loop. */
const PAGE = 200;
/** Most recent customers that are looked through for an emerging segment. */
const MAX_RECENT = 5_000;
const INPUTS = [...new Set(BEHAVIOUR_RATES.flatMap(({ part, whole }) => [...part, ...whole]))];

export interface SampledCustomer {
  features: FeatureVector;
  behaviour: BehaviourInput;
}

/** Passes over all customers of a tenant, a page at a time. */
@Injectable()
export class PopulationService {
  constructor(
    private readonly features: FeatureStore,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /** A random sample of at most `limit` customers with enough behaviour, and how many customers were read for it. */
  async sample(
    tenantId: string,
    limit: number,
  ): Promise<{ customers: SampledCustomer[]; read: number; isWhole: boolean }> {
    const now = this.surroundings.clock.now();
    const customers: SampledCustomer[] = [];
    let read = 0;
    for await (const page of this.features.pages(tenantId, PAGE)) {
      for (const { state } of page) {
        read++;
        const features = featureVector(state, now);
        if (!hasBehaviour(features)) continue;
        customers.push({ features, behaviour: behaviourInput(features) });
        if (customers.length === limit) return { customers, read, isWhole: false };
      }
      await nextTurn();
    }
    return { customers, read, isWhole: true };
  }

  count(tenantId: string): Promise<number> {
    return this.features.count(tenantId);
  }

  /** Sizes and previews of all segments, and what the clusters do not explain of customers first seen after the fit. */
  async measure(
    tenantId: string,
    model: SegmentModel,
  ): Promise<{ counts: SegmentCount[]; emerging: EmergingRegion | null }> {
    const now = this.surroundings.clock.now();
    const tallies = new Map(model.segments.map(({ id }) => [id, new Tally()]));
    const recent: CustomerState[] = [];
    for await (const page of this.features.pages(tenantId, PAGE)) {
      for (const { state } of page) {
        const memberships = membershipsOf(model, featureVector(state, now));
        for (const { segment, probability } of memberships)
          tallies.get(segment.id)?.add(state.customerId, probability ?? 1);
        if (isRecent(state, model.behaviour) && recent.length < MAX_RECENT) recent.push(state);
      }
      await nextTurn();
    }
    return {
      counts: [...tallies].map(([id, tally]) => ({ id, size: tally.size, previewIds: tally.preview() })),
      emerging: model.behaviour ? emergingIn(model.behaviour, recent, now) : null,
    };
  }
}

function isRecent({ firstAt }: CustomerState, behaviour: BehaviourModel | null): boolean {
  return behaviour !== null && firstAt !== null && firstAt > behaviour.fittedAt.getTime();
}

function emergingIn(
  { credibilities, segmentation }: BehaviourModel,
  recent: readonly CustomerState[],
  now: Date,
): EmergingRegion | null {
  const known = recent
    .map((state) => ({ id: state.customerId, features: featureVector(state, now) }))
    .filter(({ features }) => hasBehaviour(features));
  const found = findEmerging(
    segmentation,
    known.map(({ features }) => behaviourRow(credibilities, features)),
  );
  if (!found) return null;
  const traits = found.centre
    .map((value, column) => ({ value, words: credibilities[column]?.rate.words ?? '' }))
    .toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, 2);
  return {
    customers: found.customers,
    expected: found.expected,
    pValue: found.pValue,
    description: traits.map(({ value, words }) => `${value > 0 ? 'high' : 'low'} ${words}`).join(', '),
    customerIds: found.rows.slice(0, PREVIEW_SIZE).flatMap((row) => known[row]?.id ?? []),
  };
}

function behaviourInput(features: FeatureVector): BehaviourInput {
  const input: BehaviourInput = {};
  for (const name of INPUTS) {
    const value = features[name];
    if (typeof value === 'number') input[name] = value;
  }
  return input;
}

/** Counts members and keeps the clearest of them. */
class Tally {
  size = 0;
  private clearest: { id: string; probability: number }[] = [];

  add(id: string, probability: number): void {
    this.size++;
    this.clearest.push({ id, probability });
    if (this.clearest.length >= 4 * PREVIEW_SIZE) this.trim();
  }

  preview(): string[] {
    this.trim();
    return this.clearest.map(({ id }) => id);
  }

  private trim(): void {
    this.clearest = this.clearest
      .toSorted((a, b) => b.probability - a.probability || (a.id < b.id ? -1 : 1))
      .slice(0, PREVIEW_SIZE);
  }
}
