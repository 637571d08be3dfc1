import type { MonitoringReference } from '@sextant/artefacts';
import { normalQuantile } from '../calibration/normal-quantile.js';
import { isNumericText, type TableColumn } from '../tabular/column-table.js';
import { binnedColumn } from '../tabular/binned-column.js';
import { numericView } from '../tabular/column-table.js';
import { MIN_GROUP_ROWS } from './check-groups.js';
import { ALARM_LEVELS, type Checked, type JudgedDecisions } from './window-analysis.js';

/** From here on a feature tells a trait apart well: as two normal groups 0.6 standard deviations apart. */
const STRONG = 0.3;
/** Association times the share of the model that rests on the feature. */
const LARGE_USE = 0.03;
/** The score itself tells the groups apart. */
const SCORE_NAME = 'score';

/**
 * Features that the model uses and that tell a protected trait: Cramér's V of the feature's bins with the groups, whose lower bound is at
 * least 0.3, times the feature's importance at least 0.03. The score is looked at as a feature that carries the whole model.
 *
 * Rows of groups below 100 are left out.
 */
export function checkProxies({ features }: MonitoringReference, decisions: JudgedDecisions): Checked {
  const { table, traits, scores } = decisions;
  const importance = new Map(features.map((feature) => [feature.name, feature.importance]));
  const used = (table?.columns ?? []).flatMap((column) => {
    const share = importance.get(column.name) ?? 0;
    return share > 0 ? [{ column, share, name: column.name }] : [];
  });
  const score: TableColumn = { kind: 'numeric', name: SCORE_NAME, values: Float64Array.from(scores) };
  const columns = [...used, { column: score, share: 1, name: SCORE_NAME }];
  const tests = columns.length * traits.size;
  const findings = [...traits].flatMap(([trait, groups]) =>
    columns.flatMap(({ column, share, name }) => {
      const found = associationOf(column, groups, ALARM_LEVELS.proxy / Math.max(1, tests));
      const isProxy = found !== null && found.low >= STRONG && found.value * share >= LARGE_USE;
      return isProxy ? [findingOf({ name, trait, share }, found)] : [];
    }),
  );
  const notes =
    table === null && traits.size > 0
      ? ['features were not searched for proxies: the rows that were decided on were not kept']
      : [];
  return { findings, notes };
}

interface Association {
  /** Cramér's V, in [0, 1] */
  value: number;
  /** one-sided bound */
  low: number;
}

/**
 * Cramér's V of a column's bins with groups, freed from its bias, and a lower bound from the normal approximation of the non-central
 * chi-squared distribution; null where fewer than two groups are large enough.
 *
 * Source: Bergsma (2013), "A bias-correction for Cramér's V and Tschuprow's T", Journal of the Korean Statistical Society 42.
 */
export function associationOf(
  column: TableColumn,
  groups: readonly string[],
  level: number,
): Association | null {
  const large = largeGroups(groups);
  if (large.size < 2) return null;
  const { bins, count } = binnedColumn(asNumbers(column));
  const cells = new Float64Array(count * large.size);
  let n = 0;
  for (const [row, group] of groups.entries()) {
    const at = large.get(group);
    if (at === undefined) continue;
    const cell = (bins[row] ?? 0) * large.size + at;
    cells[cell] = (cells[cell] ?? 0) + 1;
    n += 1;
  }
  const { statistic, rows, columns } = chiSquareOfTable(cells, large.size, n);
  if (rows < 2) return { value: 0, low: 0 };
  const degrees = (rows - 1) * (columns - 1);
  const beyond = Math.max(0, statistic - degrees);
  const error = Math.sqrt(2 * (degrees + 2 * beyond));
  const low = Math.max(0, beyond - normalQuantile(1 - level) * error);
  const shrink = (size: number): number => size - (size - 1) ** 2 / (n - 1);
  const scale = n * Math.max(1e-9, Math.min(shrink(rows), shrink(columns)) - 1);
  return { value: Math.min(1, Math.sqrt(beyond / scale)), low: Math.min(1, Math.sqrt(low / scale)) };
}

function largeGroups(groups: readonly string[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const group of groups) if (group !== '') rows.set(group, (rows.get(group) ?? 0) + 1);
  const names = [...rows.keys()].filter((group) => (rows.get(group) ?? 0) >= MIN_GROUP_ROWS).sort();
  return new Map(names.map((group, i) => [group, i]));
}

function asNumbers(column: TableColumn): TableColumn {
  if (column.kind === 'numeric' || !isNumericText(column)) return column;
  return { kind: 'numeric', name: column.name, values: numericView(column) };
}

/** Empty rows of the table do not count. */
function chiSquareOfTable(
  cells: Float64Array,
  columns: number,
  n: number,
): { statistic: number; rows: number; columns: number } {
  const ofColumn = new Float64Array(columns);
  for (let i = 0; i < cells.length; i++)
    ofColumn[i % columns] = (ofColumn[i % columns] ?? 0) + (cells[i] ?? 0);
  let [statistic, rows] = [0, 0];
  for (let from = 0; from < cells.length; from += columns) {
    const row = cells.subarray(from, from + columns);
    const total = row.reduce((sum, cell) => sum + cell, 0);
    if (total === 0) continue;
    rows += 1;
    for (const [j, cell] of row.entries()) {
      const expected = (total * (ofColumn[j] ?? 0)) / n;
      statistic += (cell - expected) ** 2 / expected;
    }
  }
  return { statistic, rows, columns };
}

function findingOf(
  { name, trait, share }: { name: string; trait: string; share: number },
  { value, low }: Association,
) {
  const what =
    name === SCORE_NAME
      ? 'the score itself tells'
      : `"${name}", which carries ${(100 * share).toPrecision(3)} % of the model, tells`;
  return {
    kind: 'PROXY' as const,
    name,
    sentence: `${what} "${trait}": Cramér's V ${value.toFixed(2)}, at least ${low.toFixed(2)}`,
    statistic: value,
    threshold: STRONG,
  };
}
