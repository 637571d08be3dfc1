import { seededRandom, toColumnTable } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { evaluateUplift, type UpliftEvaluation } from './evaluate-uplift.js';

function anEvaluation(changes: Partial<UpliftEvaluation> = {}): UpliftEvaluation {
  const random = seededRandom(11);
  const n = 3000;
  const age = Array.from({ length: n }, () => random());
  const treated = Uint8Array.from({ length: n }, () => Number(random() < 0.5));
  const outcomes = Uint8Array.from(age, (x, i) =>
    Number(random() < 0.3 + 0.4 * (treated[i] ?? 0) * (x - 0.3)),
  );
  return {
    rows: n + 5,
    table: toColumnTable({
      rows: n,
      columns: [
        { name: 'age', values: age },
        { name: 'constant', values: age.map(() => 1) },
      ],
    }),
    ids: Array.from({ length: n }, (_, i) => i),
    treated,
    outcomes,
    arms: { treated: 'mail', control: 'none' },
    treatedShare: 0.5,
    money: { cost: 1, value: 10 },
    lightGbm: null,
    seed: 1,
    ...changes,
  };
}

describe('evaluateUplift', () => {
  it('reports the effect, the ranking beside its baselines, and what targeting is worth', async () => {
    const report = await evaluateUplift(anEvaluation());
    expect(report).toMatchObject({ task: 'uplift', rows: 3005, test: 3000, leaks: [] });
    expect(report.metrics['qini']?.low).toBeGreaterThan(0);
    expect(report.metrics['qiniPerThousand']?.value).toBeCloseTo(
      1000 * (report.metrics['qini']?.value ?? 0),
      9,
    );
    expect(Object.keys(report.baselines)).toEqual(['random', 'response model']);
    expect(report.metrics['ate']?.value).toBeCloseTo(0.08, 1);
    expect(report.metrics['netValuePerCustomer']).toBeDefined();
    expect(report.plots.map(({ title }) => title)).toContain('Qini curve (cross-fitted)');
    expect(report.warnings).toContainEqual(expect.stringContaining('"constant" left out'));
  });

  it('is equal for equal data and seed', async () => {
    expect(await evaluateUplift(anEvaluation())).toEqual(await evaluateUplift(anEvaluation()));
  });

  it('warns of a sample ratio that was not planned', async () => {
    const { warnings } = await evaluateUplift(anEvaluation({ treatedShare: 0.6 }));
    expect(warnings).toContainEqual(expect.stringContaining('sample ratio mismatch'));
  });

  it('refuses a table without a column to learn from, and an arm without outcomes', async () => {
    const table = toColumnTable({ rows: 3000, columns: [] });
    await expect(evaluateUplift(anEvaluation({ table }))).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
    });
    const outcomes = new Uint8Array(3000);
    await expect(evaluateUplift(anEvaluation({ outcomes }))).rejects.toThrow('0 have the outcome');
  });
});
