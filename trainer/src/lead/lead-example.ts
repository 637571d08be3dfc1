import { type Cell, tableOfRecords } from '@sextant/learning';
import type { TableExamples } from '@sextant/training/table';

const DAY_MS = 86_400_000;

/** One lead with what was known at `at` and what became of it. */
export interface LeadExample {
  customerId: string;
  /** milliseconds since 1970 */
  at: number;
  features: Readonly<Record<string, Cell>>;
  label: 0 | 1;
}

/** Examples as columns, ascending in time. The same examples give the same columns, whatever their order. */
export function toTableExamples(examples: readonly LeadExample[]): TableExamples {
  const ordered = examples.toSorted(
    (a, b) => a.at - b.at || (a.customerId < b.customerId ? -1 : a.customerId > b.customerId ? 1 : 0),
  );
  return {
    table: tableOfRecords(ordered.map(({ features }) => features)),
    groupIds: ordered.map(({ customerId }) => customerId),
    at: Float64Array.from(ordered, ({ at }) => at),
    labels: Uint8Array.from(ordered, ({ label }) => label),
  };
}

/**
 * Examples whose horizon has passed. Among younger ones only those with an early outcome are known, and these convert more often
 * than their like. All examples where that would leave less than half.
 */
export function settledExamples(
  examples: readonly LeadExample[],
  horizonDays: number,
  now: Date,
): { examples: readonly LeadExample[]; notes: string[] } {
  const until = now.getTime() - horizonDays * DAY_MS;
  const settled = examples.filter(({ at }) => at <= until);
  const left = examples.length - settled.length;
  if (left === 0) return { examples, notes: [] };
  if (settled.length < examples.length / 2) {
    return {
      examples,
      notes: [
        `the horizon of ${left} of ${examples.length} examples has not passed; they count by the outcome known so far`,
      ],
    };
  }
  return {
    examples: settled,
    notes: [`${left} examples left out: their horizon of ${horizonDays} days has not passed`],
  };
}
