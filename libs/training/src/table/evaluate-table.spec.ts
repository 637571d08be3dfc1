import { encodeTable, seededRandom, tableOfRecords } from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { describe, expect, it } from 'vitest';
import { evaluateTable, type TableEvaluationOptions } from './evaluate-table.js';
import type { TableExamples } from './table-examples.js';
import { trainTableScore } from './train-table-score.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (library === null) process.stdout.write('skipped: tables with LightGBM (no library)\n');

type Cells = Record<string, string | number | null>;
interface Draw {
  random: () => number;
  row: number;
  label: number;
  x: number;
  sex: string;
}

/** Rows whose odds come from x and, by `rate`, from their place; `extra` adds columns. */
function someRows(
  rows: number,
  {
    rate = () => 0,
    extra = () => ({}),
  }: { rate?: (row: number, sex: string) => number; extra?: (draw: Draw) => Cells },
): { examples: TableExamples; sexes: string[] } {
  const random = seededRandom(17);
  const cells: Cells[] = [];
  const labels = new Uint8Array(rows);
  const sexes: string[] = [];
  for (let row = 0; row < rows; row++) {
    const x = 2 * random() - 1;
    const sex = random() < 0.4 ? 'F' : 'M';
    const label = random() < 1 / (1 + Math.exp(-2.5 * x - rate(row, sex))) ? 1 : 0;
    labels[row] = label;
    sexes.push(sex);
    cells.push({ x, sex, noise: random(), ...extra({ random, row, label, x, sex }) });
  }
  const examples = {
    table: tableOfRecords(cells),
    groupIds: cells.map((_, row) => `r${row}`),
    at: new Float64Array(rows),
    labels,
  };
  return { examples, sexes };
}

const last = (rows: number, share = 0.25): number[] =>
  Array.from({ length: rows * share }, (_, i) => rows * (1 - share) + i);
const options: TableEvaluationOptions = { seed: 5, lightGbm: null, threshold: 0.5 };
const evaluate = (
  { examples, sexes }: ReturnType<typeof someRows>,
  over: Partial<TableEvaluationOptions> = {},
) =>
  evaluateTable(
    {
      examples,
      testRows: last(examples.labels.length),
      protectedColumns: [{ attribute: 'sex', groups: sexes }],
    },
    { ...options, ...over },
  );

describe('evaluateTable', () => {
  it('measures on the test rows beside baselines, with intervals, importance and plots', async () => {
    const report = await evaluate(someRows(2000, {}));

    expect(report).toMatchObject({ task: 'table', rows: 2000, test: 500, leaks: [] });
    expect(Object.keys(report.metrics)).toEqual(['auc', 'prAuc', 'logLoss', 'brier', 'ece', 'lift@10%']);
    for (const { value, low, high } of Object.values(report.metrics)) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
    expect(report.metrics['auc']?.value).toBeGreaterThan(0.75);
    expect(report.baselines['base rate']?.['auc']?.value).toBe(0.5);
    expect(report.baselines['logistic']?.['auc']?.value).toBeGreaterThan(0.75);
    expect((report.details['importance'] as { column: string }[])[0]?.column).toBe('x');
    expect(report.plots.map(({ title }) => title)).toEqual(['ROC', 'Calibration', 'Lift', 'Importance']);
    expect(report.warnings.filter((warning) => warning.startsWith('miscalibrated'))).toEqual([]);
  });

  it('names a planted leak, leaves it out and measures what is left', async () => {
    const planted = someRows(2000, {
      extra: ({ label, random }) => ({ note: label === 1 && random() < 0.6 ? 'signed' : 'called' }),
    });
    const [clean, leaking] = [
      await evaluate(someRows(2000, { extra: () => ({ note: 'called' }) })),
      await evaluate(planted),
    ];

    expect(leaking.leaks).toEqual(['note']);
    expect(leaking.warnings).toContainEqual(
      expect.stringContaining('"note" left out: it gives the label away'),
    );
    expect(Math.abs((leaking.metrics['auc']?.value ?? 0) - (clean.metrics['auc']?.value ?? 1))).toBeLessThan(
      0.05,
    );
    const kept = await evaluate(planted, { keep: ['note'] });
    expect(kept.leaks).toEqual([]);
    expect(kept.warnings).toContainEqual(expect.stringContaining('"note" kept as asked'));
    expect(kept.metrics['auc']?.value).toBeGreaterThan(0.85);
  });

  it('names a noisy copy of the outcome, which says far more than all the rest', async () => {
    const report = await evaluate(
      someRows(2000, { extra: ({ label, random }) => ({ copy: random() < 0.05 ? 1 - label : label }) }),
    );

    expect(report.leaks).toEqual(['copy']);
    expect(report.warnings).toContainEqual(
      expect.stringMatching(/"copy" left out: .* says more than all the others/),
    );
    expect(report.metrics['auc']?.value).toBeLessThan(0.85);
  });

  it('names a model whose probabilities the test rows disprove, and the drift behind it', async () => {
    const { warnings } = await evaluate(someRows(2000, { rate: (row) => (row < 1500 ? -1 : 1) }));

    expect(warnings).toContainEqual(
      expect.stringMatching(/^miscalibrated: mean probability 0\.[23]\d+ against a rate of 0\.[67]/),
    );
    expect(warnings).toContainEqual(expect.stringMatching(/^drift: the rate of positives/));
  });

  it('asks about a column that says more than all the others together, and keeps it', async () => {
    const { warnings, leaks, details } = await evaluate(someRows(2000, {}));

    expect(warnings).toContainEqual(
      expect.stringMatching(/^column "x" alone \(AUC 0\.\d+\) says more than all/),
    );
    expect(leaks).toEqual([]);
    expect(details['importance']).toContainEqual(expect.objectContaining({ column: 'x' }));
    const helped = await evaluate(someRows(2000, { extra: ({ x, random }) => ({ y: x + 0.1 * random() }) }));
    expect(helped.warnings).not.toContainEqual(expect.stringContaining('says more than'));
  });

  it('flags the gap between groups', async () => {
    const { warnings, details } = await evaluate(
      someRows(2000, { rate: (_, sex) => (sex === 'F' ? -1.5 : 0.5) }),
    );

    expect(warnings).toContainEqual(expect.stringMatching(/^selection rate by "sex": F 0\.\d+, M 0\.\d+/));
    expect(details['fairness']).toMatchObject([
      { attribute: 'sex', groups: [{ group: 'F' }, { group: 'M' }] },
    ]);
  });

  it('names equal rows, also behind an id', async () => {
    const { examples, sexes } = someRows(400, {});
    const copy = (row: number): number => row % 100;
    const table = {
      rows: 400,
      columns: [
        ...examples.table.columns.map((column) =>
          column.kind === 'numeric'
            ? { ...column, values: column.values.map((_, row, all) => all[copy(row)] ?? 0) }
            : { ...column, codes: column.codes.map((_, row, all) => all[copy(row)] ?? 0) },
        ),
        { kind: 'numeric' as const, name: 'id', values: Float64Array.from({ length: 400 }, (_, i) => i) },
      ],
    };
    const report = await evaluate({ examples: { ...examples, table }, sexes });

    expect(report.warnings).toContain(
      'duplicate rows: 100 of 100 test rows equal a training row in all but "id"',
    );
  });

  it('gives the same report twice, and another for weights', async () => {
    const data = someRows(600, {});
    const first = await evaluate(data, { lightGbm: library });

    expect(await evaluate(data, { lightGbm: library })).toEqual(first);
    const weights = Float32Array.from(data.examples.labels, (label, row) => (label === 1 && row % 2 ? 9 : 1));
    const weighted = await evaluate({ ...data, examples: { ...data.examples, weights } });
    expect(weighted.metrics['logLoss']?.value).not.toBe(first.metrics['logLoss']?.value);
  });

  it('refuses test rows of one outcome and too few rows', async () => {
    const data = someRows(400, { rate: (row) => (row < 300 ? 0 : 99) });
    await expect(evaluate(data)).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: /^100 test rows, 100 of them positive/,
    });
    await expect(evaluate(someRows(40, {}))).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });
});

describe('trainTableScore', () => {
  const words = {
    ...{ examples: 'rows', positive: 'yes', negative: 'no', groups: 'customers' },
    ...{ remedy: 'wait', limitation: 'None.' },
  };

  it('serves an isotonic bend through ONNX, and reasons that add up to it', async () => {
    const random = seededRandom(2);
    const x = Array.from({ length: 4000 }, () => 2 * random() - 1);
    const labels = Uint8Array.from(x, (value) => (random() < (value < 0 ? 0.03 : 0.4) ? 1 : 0));
    const table = tableOfRecords(x.map((value) => ({ x: value })));
    const examples = { table, groupIds: x.map((_, i) => `${i}`), at: new Float64Array(4000), labels };
    const trained = await trainTableScore(examples, { seed: 1, lightGbm: null, horizon: 0, words });

    expect(trained.calibration.calibration.bend?.margins.length).toBeGreaterThan(1);
    const { explain } = parseExplainer(trained.explainer);
    const rows = encodeTable(trained.model.encoding, table);
    const probabilities = trained.probabilities(table);
    for (let i = 0; i < 4000; i += 97) {
      const { baseValue, contributions } = explain(rows.subarray(i, i + 1));
      const logOdds = contributions.reduce((sum, own) => sum + own, baseValue);
      expect(1 / (1 + Math.exp(-logOdds))).toBeCloseTo(probabilities[i] ?? 0, 9);
    }
  });

  it('learns from a column of very many texts, and serves texts it never saw', async () => {
    const random = seededRandom(12);
    const shops = Array.from({ length: 4000 }, () => Math.floor(300 * random()));
    const labels = Uint8Array.from(shops, (shop) => (random() < (shop % 3 === 0 ? 0.6 : 0.15) ? 1 : 0));
    const table = tableOfRecords(shops.map((shop) => ({ shop: `shop ${shop}`, noise: random() })));
    const examples = { table, groupIds: shops.map((_, i) => `${i}`), at: new Float64Array(4000), labels };
    const trained = await trainTableScore(examples, { seed: 1, lightGbm: null, horizon: 0, words });

    expect(trained.metrics['auc']?.value).toBeGreaterThan(0.68);
    const [known = 0, other = 0, fresh = 0] = trained.probabilities(
      tableOfRecords([{ shop: 'shop 3' }, { shop: 'shop 4' }, { shop: 'new' }]),
    );
    expect(known).toBeGreaterThan(fresh);
    expect(fresh).toBeGreaterThan(other);
    expect(parseExplainer(trained.explainer).columns).toEqual(['noise', 'shop']);
  });

  it.skipIf(library === null)('takes dates, ids, blanks and constant columns as they come', async () => {
    const { examples } = someRows(800, {
      extra: ({ row, random }) => ({
        id: `c-${row}`,
        created: new Date(Date.UTC(2026, 0, 1) + row * 3_600_000).toISOString(),
        plan: random() < 0.2 ? null : (['a', 'b'][row % 2] ?? ''),
        'Bad "name": [1]': random(),
        same: 'x',
      }),
    });
    const trained = await trainTableScore(examples, { seed: 1, lightGbm: library, horizon: 0, words });

    expect(trained.card.features).toEqual(expect.arrayContaining(['created', 'plan', 'Bad "name": [1]']));
    expect(trained.card.features).not.toContain('id');
    expect(trained.card.warnings).toContainEqual(expect.stringContaining('"same" left out'));
    expect(trained.metrics['auc']?.value).toBeGreaterThan(0.7);
  });
});
