import type { TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

export type Cells = Record<string, number | string | boolean | null>;

/** What a model takes as one of its raw columns. */
type Taken =
  | { kind: 'number'; range: readonly [number, number] | null }
  | { kind: 'text'; known: readonly string[] | null };

const MAX_CHANGES = 50;
const MOST_NAMED = 20;
const LARGEST = 1e12;

/**
 * A logged input with some cells changed.
 *
 * @param fixed  columns of the model that belong to the decision itself, and cannot be changed
 * @throws DomainError INVALID_INPUT naming the column that the model has not, or that does not take the value
 */
export function changedInput(
  input: Cells,
  changes: unknown,
  { table, fixed = [] }: { table: TableEncoding; fixed?: readonly string[] },
): Cells {
  const taken = takenBy(table);
  for (const name of fixed) taken.delete(name);
  const changed = { ...input };
  for (const [name, value] of entriesOf(changes)) {
    const column = taken.get(name);
    const path = `changes["${name.slice(0, 80)}"]`;
    if (column === undefined) {
      const columns = [...taken.keys()];
      const shown = columns.slice(0, MOST_NAMED).join(', ') + (columns.length > MOST_NAMED ? ', …' : '');
      throw invalid(path, `is no column of the model, which has ${shown}`);
    }
    changed[name] = value === null ? null : cellOf(column, value, path);
  }
  return changed;
}

/** Numeric columns that exist. @throws DomainError INVALID_INPUT naming the one that does not */
export function checkActionable(table: TableEncoding, names: readonly string[]): readonly string[] {
  const taken = takenBy(table);
  for (const name of names.slice(0, MAX_CHANGES + 1)) {
    if (taken.get(name)?.kind !== 'number')
      throw invalid(`actionable["${name.slice(0, 80)}"]`, 'is no numeric column of the model');
  }
  if (names.length > MAX_CHANGES) {
    throw invalid('actionable', `may name ${MAX_CHANGES} columns, got ${names.length}`);
  }
  return names;
}

function takenBy({ columns }: TableEncoding): Map<string, Taken> {
  const taken = new Map<string, Taken>();
  for (const column of columns) {
    if (column.kind === 'numeric') taken.set(column.column, { kind: 'number', range: column.range ?? null });
    else if (column.kind === 'categorical')
      taken.set(column.column, { kind: 'text', known: column.categories });
    else if (column.kind === 'date') taken.set(column.column, { kind: 'text', known: null });
    else {
      const known = Object.keys(column.values);
      if (!taken.has(column.column)) taken.set(column.column, { kind: 'text', known });
      const factor = column.times?.column;
      if (factor !== undefined && !taken.has(factor)) taken.set(factor, { kind: 'number', range: null });
    }
  }
  return taken;
}

function cellOf(column: Taken, value: unknown, path: string): number | string {
  if (column.kind === 'text') {
    if (typeof value !== 'string') throw invalid(path, `must be a text or null, got ${shown(value)}`);
    const { known } = column;
    if (known === null || known.includes(value)) return value;
    throw invalid(
      path,
      `must be one of ${known.slice(0, MOST_NAMED).join(', ')}${known.length > MOST_NAMED ? ', …' : ''}, got ${shown(value)}`,
    );
  }
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || Math.abs(number) > LARGEST) {
    throw invalid(path, `must be a number or null, got ${shown(value)}`);
  }
  const { range } = column;
  if (range !== null && (number < range[0] || number > range[1])) {
    throw invalid(path, `must be within ${range[0]} and ${range[1]}, as training saw it, got ${number}`);
  }
  return number;
}

function entriesOf(changes: unknown): [string, unknown][] {
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) {
    throw invalid('changes', `must be an object of columns and values, got ${shown(changes)}`);
  }
  const entries = Object.entries(changes);
  if (entries.length <= MAX_CHANGES) return entries;
  throw invalid('changes', `may name ${MAX_CHANGES} columns, got ${entries.length}`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', `${path} ${message}`, { path });
}
