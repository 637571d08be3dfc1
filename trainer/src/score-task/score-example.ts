import { type Cell, tableOfRecords } from '@sextant/learning';
import type { AuditedTrait, TableExamples } from '@sextant/training/table';

const UNKNOWN = 'unknown';
const MOST_GROUPS = 10;
const QUARTERS = [0.25, 0.5, 0.75];

/** What was known of somebody at an instant and what became of it. */
export interface ScoreExample {
  customerId: string;
  /** milliseconds since 1970 */
  at: number;
  features: Readonly<Record<string, Cell>>;
  label: 0 | 1;
  /** by name; never a column */
  protectedTraits?: Readonly<Record<string, Cell>>;
}

/** Examples as columns, ascending in time. The same examples give the same columns, whatever their order. */
export function toTableExamples(examples: readonly ScoreExample[]): TableExamples {
  const ordered = inTime(examples);
  return {
    table: tableOfRecords(ordered.map(({ features }) => features)),
    groupIds: ordered.map(({ customerId }) => customerId),
    at: Float64Array.from(ordered, ({ at }) => at),
    labels: Uint8Array.from(ordered, ({ label }) => label),
  };
}

/** Groups of each protected trait that any example has, in the order of {@link toTableExamples}. */
export function auditedTraits(examples: readonly ScoreExample[]): AuditedTrait[] {
  const ordered = inTime(examples);
  const names = new Set(ordered.flatMap(({ protectedTraits = {} }) => Object.keys(protectedTraits)));
  return [...names].sort().map((attribute) => ({
    attribute,
    groups: groupsOf(ordered.map(({ protectedTraits }) => protectedTraits?.[attribute] ?? null)),
  }));
}

/** Numbers of many values become quarters of about equally many rows, named by their bounds; what is not known is a group. */
function groupsOf(values: readonly Cell[]): string[] {
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  if (new Set(numbers).size <= MOST_GROUPS) return values.map((value) => String(value ?? UNKNOWN));
  const bounds = QUARTERS.map((share) => numbers[Math.floor(share * (numbers.length - 1))] ?? 0);
  return values.map((value) => {
    if (typeof value !== 'number') return String(value ?? UNKNOWN);
    const above = bounds.findLastIndex((bound) => value > bound);
    const [low, high] = [bounds[above], bounds[above + 1]];
    if (low === undefined) return `up to ${high}`;
    return high === undefined ? `above ${low}` : `above ${low} to ${high}`;
  });
}

function inTime(examples: readonly ScoreExample[]): ScoreExample[] {
  return examples.toSorted(
    (a, b) => a.at - b.at || (a.customerId < b.customerId ? -1 : a.customerId > b.customerId ? 1 : 0),
  );
}
