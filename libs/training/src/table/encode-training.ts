import type { TableEncoding } from '@sextant/artefacts';
import { encodedNames, encodeTable, fitTableEncoder, fitTargetLookups } from '@sextant/learning';
import type { TableExamples } from './table-examples.js';

/**
 * An encoder fitted on examples, and these examples as a fit may see them: columns with very many texts get one more input column, the
 * texts' own rates, which for the fitted rows come from the other folds.
 *
 * @returns `rows` row-major, shape [examples, encoding.features.length]
 */
export function encodeTraining(
  { table, labels, groupIds }: TableExamples,
  options: { purpose: 'linear' | 'trees'; exclude: readonly string[] },
): { encoding: TableEncoding; rows: Float32Array } {
  const { encoding: base } = fitTableEncoder(table, options);
  const texts = base.columns.filter(({ kind }) => kind === 'categorical').map(({ column }) => column);
  const lookups = fitTargetLookups(table, texts, { labels, groups: groupIds });
  const columns = [...base.columns, ...lookups.map(({ encoding }) => encoding)];
  const encoding = { ...base, columns, features: columns.flatMap(encodedNames) };
  const rows = encodeTable(encoding, table);
  const width = encoding.features.length;
  for (const [i, { outOfFold }] of lookups.entries()) {
    const offset = base.features.length + i;
    for (const [row, value] of outOfFold.entries()) rows[row * width + offset] = value;
  }
  return { encoding, rows };
}
