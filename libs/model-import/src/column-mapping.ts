import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { emptyState, featureVector } from '@sextant/features';
import { type ColumnTable, encodeTable, tableOfRecords } from '@sextant/learning';
import type { ImportColumn, ImportOrder, SampleRow } from './import-order.js';

/** Traits and form fields are the tenant's own; no list of them is complete. */
const OWN_NAMES = /^(trait|form)\../;
const KNOWN: ReadonlySet<string> = new Set(
  Object.keys(featureVector(emptyState('cus_000000000000000000000000'), new Date(0))),
);

/**
 * The encoding that makes the model's input of our features, in the model's order.
 *
 * @throws DomainError INVALID_INPUT for a feature that there is none of, naming near ones
 */
export function tableEncodingOf(columns: readonly ImportColumn[]): TableEncoding {
  for (const [i, { feature }] of columns.entries()) assertKnown(feature, `input.columns.${i}.feature`);
  const names = columns.map(({ feature, name }) => name ?? feature);
  const features = names.map((name, i) => (names.indexOf(name) === i ? name : `${name} #${i}`));
  return {
    columns: columns.map((column, i) => encodingOf(column, features[i] ?? '')),
    features,
    standardised: false,
  };
}

/** Rows of the model's input, row-major [rows, columns], as the worker makes them while it serves. */
export function encodeSample(encoding: TableEncoding, sample: readonly SampleRow[]): Float32Array {
  const width = encoding.features.length;
  const records = sample.map(({ row }) => (Array.isArray(row) ? {} : row));
  const encoded = encodeTable(encoding, tableOf(records));
  for (const [i, { row }] of sample.entries()) {
    if (!Array.isArray(row)) continue;
    if (row.length !== width) {
      const path = `input.sample.${i}.row`;
      throw new DomainError('INVALID_INPUT', `${path} has ${row.length} cells for ${width} columns`, {
        path,
      });
    }
    encoded.set(
      row.map((cell) => cell ?? Number.NaN),
      i * width,
    );
  }
  return encoded;
}

/** @throws DomainError INVALID_INPUT for a feature that there is none of, or a row of another length than the columns */
export function checkMapping({ columns, sample }: Pick<ImportOrder, 'columns' | 'sample'>): void {
  encodeSample(tableEncodingOf(columns), sample);
}

/** Columns that no row names are there too, so that a sample of arrays has a table. */
function tableOf(
  records: readonly Readonly<Record<string, string | number | boolean | null>>[],
): ColumnTable {
  return { ...tableOfRecords(records), rows: records.length };
}

function encodingOf({ feature, fill, codes, otherwise }: ImportColumn, name: string): ColumnEncoding {
  if (codes)
    return {
      kind: 'lookup',
      column: feature,
      feature: name,
      values: codes,
      other: otherwise ?? 0,
      times: null,
    };
  return {
    kind: 'numeric',
    column: feature,
    fill: fill ?? null,
    transform: 'none',
    mean: 0,
    scale: 1,
    missingIndicator: false,
  };
}

function assertKnown(feature: string, path: string): void {
  if (KNOWN.has(feature) || OWN_NAMES.test(feature)) return;
  const [stem = ''] = feature.split('.');
  const near = [...KNOWN].filter((name) => name.startsWith(stem)).slice(0, 6);
  const some = near.length > 0 ? near : [...KNOWN].slice(0, 6);
  throw new DomainError(
    'INVALID_INPUT',
    `${path}: there is no feature "${feature.slice(0, 60)}"; there are ${some.join(', ')}, … and trait.<name>, form.<name>`,
    { path },
  );
}
