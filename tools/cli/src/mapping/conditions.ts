import { type Cells, finite } from './cells.js';
import type { Comparison, Condition } from './mapping-schema.js';
import type { Row } from './row.js';

/** Whether every comparison given holds for the cell's text. @throws RowError when a number is asked of another text */
export function meets(text: string, comparison: Comparison, column: string): boolean {
  const { equals, notEquals, in: allowed, atLeast, atMost, above, below } = comparison;
  return (
    (equals === undefined || text === equals) &&
    (notEquals === undefined || text !== notEquals) &&
    (allowed === undefined || allowed.includes(text)) &&
    (atLeast === undefined || finite(text, column) >= atLeast) &&
    (atMost === undefined || finite(text, column) <= atMost) &&
    (above === undefined || finite(text, column) > above) &&
    (below === undefined || finite(text, column) < below)
  );
}

export function isComparison(comparison: Comparison): boolean {
  const { equals, notEquals, in: allowed, atLeast, atMost, above, below } = comparison;
  return [equals, notEquals, allowed, atLeast, atMost, above, below].some((test) => test !== undefined);
}

/** All conditions hold; a missing cell meets `present: false` only. */
export function holds(row: Row, conditions: readonly Condition[], cells: Cells): boolean {
  return conditions.every(({ column, present, ...comparison }) => {
    const text = cells.text(row, column);
    if (present !== undefined && present !== (text !== null)) return false;
    if (!isComparison(comparison)) return true;
    return text !== null && meets(text, comparison, column);
  });
}
