import type { ColumnEncoding } from '@sextant/artefacts';
import { categoricalView, numericView, type TableColumn } from './column-table.js';
import type { EncodingTarget } from './encoding-target.js';
import { signedLog1p } from './signed-log1p.js';

type LookupEncoding = Extract<ColumnEncoding, { kind: 'lookup' }>;

/**
 * One value by category, times a centred number where the encoding names one: how a product's level and its own slope
 * enter a model without one input column each. A missing category counts as "other"; a number that the transform has no value for is missing.
 */
export function writeLookup(
  encoding: LookupEncoding,
  byName: ReadonlyMap<string, TableColumn>,
  target: EncodingTarget,
): void {
  const source = byName.get(encoding.column);
  const view = source === undefined ? null : categoricalView(source);
  const { times } = encoding;
  const values = view?.dictionary.map((text) => own(encoding.values, text) ?? encoding.other) ?? [];
  const centres = view?.dictionary.map((text) => own(times?.centres ?? {}, text) ?? times?.otherCentre) ?? [];
  const multiplicand = times === null ? undefined : byName.get(times.column);
  const numbers = multiplicand === undefined ? null : numericView(multiplicand);
  for (let row = 0; row < target.rows; row++) {
    const code = view?.codes[row] ?? -1;
    const value = values[code] ?? encoding.other;
    const factor =
      times === null ? 1 : transformed(times, numbers?.[row]) - (centres[code] ?? times.otherCentre);
    target.output[row * target.width + target.offset] = value * factor;
  }
}

function transformed({ transform, fill }: NonNullable<LookupEncoding['times']>, cell = Number.NaN): number {
  const present = Number.isFinite(cell) && (transform !== 'log' || cell > 0);
  const value = present ? cell : (fill ?? Number.NaN);
  if (transform === 'log') return Math.log(value);
  return transform === 'signed-log1p' ? signedLog1p(value) : value;
}

/** Categories are free text: "constructor" must not find what objects inherit. */
function own(values: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
