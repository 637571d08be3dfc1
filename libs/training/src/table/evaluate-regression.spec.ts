import { seededRandom, tableOfRecords } from '@sextant/learning';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { describe, expect, it } from 'vitest';
import { evaluateRegression, type RegressionInput } from './evaluate-regression.js';
import { regressionFigures } from './regression-figures.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (library === null) process.stdout.write('skipped: amounts with LightGBM (no library)\n');

interface Draw {
  x: number;
  kind: string;
  noise: number;
}

/** Every fifth row is a test row; `in other money` is the outcome by another name. */
function someRows(amountOf: (draw: Draw) => number, rows = 600): RegressionInput {
  const random = seededRandom(5);
  const draws = Array.from({ length: rows }, () => ({
    x: 6 * random() - 3,
    kind: random() < 0.5 ? 'flat' : 'house',
    noise: random() + random() - 1,
  }));
  const amounts = Float64Array.from(draws, amountOf);
  return {
    examples: {
      table: tableOfRecords(
        draws.map(({ x, kind }, row) => ({ x, kind, 'in other money': 1.1 * (amounts[row] ?? 0) + 3 })),
      ),
      groupIds: draws.map((_, row) => `row ${row}`),
      at: new Float64Array(rows),
    },
    amounts,
    testRows: Array.from(draws.keys()).filter((row) => row % 5 === 0),
    target: 'rent',
  };
}

const straight = ({ x, kind, noise }: Draw): number =>
  1e6 + 2e4 * x + (kind === 'house' ? 5e4 : 0) + 1e4 * noise;
const bent = ({ x, noise }: Draw): number => 10 * Math.sin(2 * x) + noise;

describe('evaluateRegression', () => {
  it('finds a straight effect up to the noise, names the leak, and says what each column is worth', async () => {
    const report = await evaluateRegression(someRows(straight), { seed: 1, lightGbm: null });

    // The noise, a sum of two uniform draws, has a deviation of 1e4 / √6.
    expect(report.metrics['rmse']?.value).toBeGreaterThan(0.8 * (1e4 / Math.sqrt(6)));
    expect(report.metrics['rmse']?.value).toBeLessThan(1.2 * (1e4 / Math.sqrt(6)));
    expect(report.metrics['r2']?.value).toBeGreaterThan(0.98);
    expect(report.baselines['mean']?.['r2']?.value).toBeLessThanOrEqual(0);
    expect(report.leaks).toEqual(['in other money']);
    expect(report.details['importance']).toEqual([
      { column: 'x', contribution: expect.closeTo(3e4, -4) as number },
      { column: 'kind', contribution: expect.closeTo(2.5e4, -4) as number },
    ]);
  });

  it('keeps a column that is asked for, and the same data and seed give the same report', async () => {
    const options = { seed: 1, lightGbm: null, keep: ['in other money'] };
    const report = await evaluateRegression(someRows(straight), options);
    expect(report.leaks).toEqual([]);
    expect(report.warnings.join()).toContain('"in other money" has a correlation 1.000 with the outcome');
    expect(await evaluateRegression(someRows(straight), options)).toEqual(report);
  });

  it.skipIf(library === null)('takes trees for a bent effect, and the line for a straight one', async () => {
    const options = { seed: 1, lightGbm: library };
    const [trees, line] = [
      await evaluateRegression(someRows(bent), options),
      await evaluateRegression(someRows(straight), options),
    ];
    expect([trees.chosen, line.chosen]).toEqual([
      expect.stringMatching(/^LightGBM, \d+ trees/),
      expect.stringMatching(/^linear regression/),
    ]);
    expect(trees.metrics['r2']?.value).toBeGreaterThan(0.95);
    expect(trees.baselines['linear regression']?.['r2']?.value).toBeLessThan(0.3);
  });

  it('validates on later rows where the rows have times', async () => {
    const input = someRows(straight);
    const at = Float64Array.from(input.amounts, (_, row) => row);
    const report = await evaluateRegression(
      { ...input, examples: { ...input.examples, at } },
      { seed: 1, lightGbm: null },
    );
    expect(report.details['validation']).toBe('later rows');
  });

  it('keeps an honest column that says nearly all, and says that the outcome has moved', async () => {
    const nearly = someRows(({ x, noise }) => x + 0.2 * noise);
    const amounts = nearly.amounts.map((amount, row) => amount + (row % 5 === 0 ? 1 : 0));
    const report = await evaluateRegression({ ...nearly, amounts }, { seed: 1, lightGbm: null });
    expect(report.leaks).toEqual(['in other money']);
    expect(report.metrics['rmse']?.value).toBeCloseTo(1, 1);
    expect(report.warnings.join()).toMatch(
      /drift: the mean outcome of the test rows is 0\.\d\d deviations above/,
    );
  });

  it.each([
    ['too few rows', someRows(straight, 50), '40 training and 10 test rows'],
    ['one amount only', someRows(() => 7), 'every training row has the outcome 7'],
  ])('refuses %s', async (_, input, message) => {
    await expect(evaluateRegression(input, { seed: 1, lightGbm: null })).rejects.toThrow(message);
  });
});

describe('regressionFigures', () => {
  it('gives the figures worked out by hand', () => {
    const { rmse, mae, r2 } = regressionFigures(Float64Array.of(1, 2, 3, 6), Float64Array.of(1, 2, 5, 6), 1);
    expect([rmse?.value, mae?.value, r2?.value]).toEqual([1, 0.5, expect.closeTo(1 - 4 / 14, 12)]);
  });

  it('leaves r2 out where the outcome is the same in every row', () => {
    expect(Object.keys(regressionFigures(Float64Array.of(2, 2), Float64Array.of(1, 2), 1))).toEqual([
      'rmse',
      'mae',
    ]);
  });
});
