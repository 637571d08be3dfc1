import type { TableEncoding } from '@sextant/artefacts';
import { type ColumnTable, encodeTable, fitTableEncoder } from '@sextant/learning';
import { pruneColumns } from '@sextant/learning/uplift';

/** A column that is known of fewer rows than this says little of most customers, and effects are too faint for the few. */
const MIN_KNOWN = 0.2;

/**
 * How customers become model input where effects are learnt: without columns that are seldom known, and without those that nearly
 * repeat another one.
 *
 * @returns  the encoding, which may have no column, and one sentence for each column left out or grouped
 */
export function fitEffectEncoder(table: ColumnTable): { encoding: TableEncoding; warnings: string[] } {
  const seldom = table.columns.filter((column) => knownShare(column) < MIN_KNOWN).map(({ name }) => name);
  const { encoding, warnings } = fitTableEncoder(table, { purpose: 'linear', exclude: seldom });
  const left = seldom.map(
    (name) => `column "${name}" left out: known of fewer than ${100 * MIN_KNOWN} % of the rows`,
  );
  return {
    encoding: pruneColumns(encoding, encodeTable(encoding, table)),
    warnings: [...left, ...warnings],
  };
}

function knownShare(column: ColumnTable['columns'][number]): number {
  if (column.kind === 'numeric') return column.values.filter(Number.isFinite).length / column.values.length;
  return column.codes.filter((code) => code >= 0).length / column.codes.length;
}
