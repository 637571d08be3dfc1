import type { DecisionRepository, JoinedDecision } from '@sextant/decision-log';
import type { FeatureStore, FeatureVector, Scalar } from '@sextant/features';
import { tableOfRecords } from '@sextant/learning';
import {
  countChanges,
  type FeatureChanges,
  type JudgedDecisions,
  type SubjectRows,
} from '@sextant/learning/monitor';
import type { Window } from '@sextant/monitoring';
import { drawOf } from '../score-task/customer-sample.js';

/** Of a version whose decisions are looked at one by one. */
export interface DecidedVersion {
  tenantId: string;
  /** `<model>@<version>` */
  id: string;
  /** days after which a decision without a reward counts as one that nothing came of */
  horizonDays: number;
  /** traits of customers that must not decide */
  protectedTraits: readonly string[];
}

/** What a window's log says, beside what was counted. */
export interface WindowDecisions {
  /** decisions of the window; nothing is said of what came of them */
  current: JudgedDecisions;
  /** customers a decision, of those that are logged */
  customersPerRow: number;
  /** decisions whose horizon ended in the window, with what came of them; null where no outcome was recorded of any */
  matured: JudgedDecisions | null;
  changes: FeatureChanges[];
  usualChanges: FeatureChanges[];
  notes: string[];
}

/** One logged decision of a score. */
interface Row {
  customerId: string;
  at: number;
  features: FeatureVector;
  probability: number;
  /** of all outcomes that were recorded; null: none was */
  reward: number | null;
}

const DAY_MS = 86_400_000;
/** Rows of a window that are looked at; of more, those of a part of the customers, the same in every window. */
const MAX_ROWS = 20_000;
/** Days before the window in which the earlier of two decisions on one customer may lie. */
const LOOKBACK_DAYS = 7;
const TRAITS_AT_ONCE = 500;
const SEED = 1;

/** Reads what was decided by one version around a window: rows, outcomes and the groups that their customers belong to. */
export class DecisionReader {
  constructor(
    private readonly decisions: Pick<DecisionRepository, 'joinedBatches'>,
    private readonly customers: Pick<FeatureStore, 'get'>,
    private readonly maxRows = MAX_ROWS,
  ) {}

  async read(version: DecidedVersion, window: Window): Promise<WindowDecisions> {
    const [from, to] = [window.from.getTime(), window.to.getTime()];
    const notes: string[] = [];
    // The week before the window and the week before that, so that what changes now has something to be compared with.
    const seen = await this.rows(version, { from: from - 2 * LOOKBACK_DAYS * DAY_MS, to }, notes);
    const rows = seen.filter(({ at }) => at >= from);
    const groups = await this.groupsOf(version, rows);
    const lookBack = seen.filter(({ at }) => at >= from - LOOKBACK_DAYS * DAY_MS);
    return {
      current: judged(rows, groups, () => -1),
      customersPerRow:
        rows.length === 0 ? 1 : new Set(rows.map(({ customerId }) => customerId)).size / rows.length,
      matured: await this.matured(version, { from, to }, notes),
      changes: countChanges(subjectRows(lookBack), from),
      usualChanges: countChanges(subjectRows(seen.filter(({ at }) => at < from))),
      notes,
    };
  }

  /** By then whatever was to come of them has come. */
  private async matured(
    version: DecidedVersion,
    { from, to }: { from: number; to: number },
    notes: string[],
  ): Promise<JudgedDecisions | null> {
    const horizonMs = version.horizonDays * DAY_MS;
    const rows = await this.rows(version, { from: from - horizonMs, to: to - horizonMs }, notes);
    if (rows.length === 0) {
      notes.push(
        `performance: of no decision the ${version.horizonDays} days of its horizon ended in the window`,
      );
      return null;
    }
    // Where nobody ever tells, silence says nothing about what came.
    if (rows.every(({ reward }) => reward === null)) {
      notes.push(
        `performance: no outcome was recorded of ${rows.length} decisions whose horizon ended in the window`,
      );
      return null;
    }
    const groups = await this.groupsOf(version, rows);
    return judged(rows, groups, ({ reward }) => (reward !== null && reward > 0 ? 1 : 0));
  }

  private async rows(
    { tenantId, id }: DecidedVersion,
    { from, to }: { from: number; to: number },
    notes: string[],
  ): Promise<Row[]> {
    const window = { modelVersion: id, from: new Date(from), to: new Date(to) };
    const [kept, sample] = [new Map<string, Row[]>(), { share: 1, rows: 0 }];
    const takes = (customerId: string): boolean => drawOf(customerId, SEED) < sample.share;
    for await (const batch of this.decisions.joinedBatches(tenantId, window, { withInput: true })) {
      for (const row of batch.flatMap(rowOf)) {
        if (!takes(row.customerId)) continue;
        const own = kept.get(row.customerId);
        if (own) own.push(row);
        else kept.set(row.customerId, [row]);
        sample.rows += 1;
      }
      while (sample.rows > this.maxRows && kept.size > 1) {
        sample.share /= 2;
        for (const [customerId, own] of kept) {
          if (takes(customerId)) continue;
          kept.delete(customerId);
          sample.rows -= own.length;
        }
      }
    }
    if (sample.share < 1)
      notes.push(
        `decisions from ${window.from.toISOString()} on: one customer in ${1 / sample.share} was looked at`,
      );
    return [...kept.values()].flat().sort((a, b) => a.at - b.at);
  }

  /** By trait the group of each row. */
  private async groupsOf(
    { tenantId, protectedTraits }: DecidedVersion,
    rows: readonly Row[],
  ): Promise<Map<string, string[]>> {
    if (protectedTraits.length === 0) return new Map();
    const ids = [...new Set(rows.map(({ customerId }) => customerId))];
    const told = new Map<string, Readonly<Record<string, Scalar>>>();
    for (let from = 0; from < ids.length; from += TRAITS_AT_ONCE) {
      const found = await this.customers.get(tenantId, ids.slice(from, from + TRAITS_AT_ONCE));
      for (const [id, { state }] of found) told.set(id, pick(state.traits, protectedTraits));
    }
    return new Map(
      protectedTraits.map((trait) => [
        trait,
        rows.map(({ customerId, features }) =>
          groupOf(told.get(customerId)?.[trait] ?? formValue(features, trait)),
        ),
      ]),
    );
  }
}

/** What is kept of a decision that the model itself made, on features that are known, about somebody. */
function rowOf({ rung, customerId, subject, at, input, output, outcome }: JoinedDecision): Row[] {
  const probability = output['probability'];
  if (rung !== 'MODEL' || typeof probability !== 'number' || input === null || typeof input !== 'object')
    return [];
  const [features, reward] = [input as FeatureVector, outcome?.reward ?? null];
  return [{ customerId: customerId ?? subject, at: at.getTime(), features, probability, reward }];
}

function judged(
  rows: readonly Row[],
  traits: ReadonlyMap<string, readonly string[]>,
  labelOf: (row: Row) => number,
): JudgedDecisions {
  return {
    scores: Float64Array.from(rows, ({ probability }) => probability),
    labels: Int8Array.from(rows, labelOf),
    table: tableOfRecords(rows.map(({ features }) => features)),
    traits,
    subjects: rows.map(({ customerId }) => customerId),
  };
}

function subjectRows(rows: readonly Row[]): SubjectRows {
  return {
    subjects: rows.map(({ customerId }) => customerId),
    at: Float64Array.from(rows, ({ at }) => at),
    table: tableOfRecords(rows.map(({ features }) => features)),
  };
}

function pick(traits: Readonly<Record<string, Scalar>>, names: readonly string[]): Record<string, Scalar> {
  const known = names.filter((name) => Object.hasOwn(traits, name));
  return Object.fromEntries(known.map((name) => [name, traits[name] as Scalar]));
}

/** A trait that was typed into a form and told nowhere else. */
function formValue(features: FeatureVector, trait: string): Scalar | null {
  return features[`trait.${trait}`] ?? features[`form.${trait}`] ?? null;
}

function groupOf(value: Scalar | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}
