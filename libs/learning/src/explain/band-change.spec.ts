import type { TableEncoding } from '@sextant/artefacts';
import { describe, expect, it } from 'vitest';
import { applyCalibration } from '../calibration/calibration-map.js';
import { tableOfRecords } from '../tabular/column-table.js';
import { encodeTable } from '../tabular/encode-table.js';
import { predictMargin, type Tree } from '../trees/tree-ensemble.js';
import { changeToBand } from './band-change.js';
import type { ExplainedScore } from './explainer.js';

const CALIBRATION = { a: 1.5, b: -0.25 };
const numeric = (column: string, over: object = {}) => ({
  ...{ kind: 'numeric' as const, column, fill: 0, transform: 'none' as const },
  ...{ mean: 0, scale: 1, missingIndicator: false, ...over },
});

describe('changeToBand of a linear score', () => {
  const encoding: TableEncoding = {
    columns: [
      numeric('visits', { mean: 3, scale: 2, range: [0, 8] }),
      { kind: 'categorical', column: 'channel', categories: ['web'] },
      numeric('value', {
        transform: 'signed-log1p',
        mean: 4,
        scale: 1.5,
        range: [0, 10_000],
        missingIndicator: true,
      }),
    ],
    features: ['visits', 'channel=web', 'channel=(other)', 'value', 'value is missing'],
    standardised: true,
  };
  const model = { coefficients: Float64Array.of(0.8, 0.5, 0, 1.1, -0.2), intercept: -1 };
  const score: ExplainedScore = {
    explained: { method: 'linear', model, means: new Float64Array(5) },
    calibration: CALIBRATION,
  };
  const probabilityOf = (row: Record<string, number | string | null>): number => {
    const x = encodeTable(encoding, tableOfRecords([row]));
    const margin = model.coefficients.reduce((sum, w, j) => sum + w * (x[j] ?? 0), model.intercept);
    return applyCalibration(CALIBRATION, margin);
  };
  const row = { visits: 2, channel: 'web', value: 60 };

  it('is in raw units, just enough, and the dearest way is not taken', () => {
    const moves = changeToBand(score, encoding, { row, probability: 0.5, aim: 'reach', columns: null });
    expect(moves).toHaveLength(1);
    expect(moves?.[0]).toMatchObject({ column: 'value', from: 60 });
    const to = moves?.[0]?.to ?? 0;
    expect(probabilityOf({ ...row, value: to })).toBeGreaterThanOrEqual(0.5);
    expect(probabilityOf({ ...row, value: to - 1 })).toBeLessThan(0.5);
    const broken = changeToBand(score, encoding, {
      ...{ row: { ...row, value: 60.5 }, probability: 0.5, aim: 'reach', columns: null },
    });
    expect(Number.isInteger(to)).toBe(true);
    expect(broken?.[0]?.to).toBeLessThan(to);
    expect(broken?.[0]?.to).toBeGreaterThan(to - 1);
  });

  it('keeps to the columns that may change, takes two where one is not enough, and gives up beyond training', () => {
    const within = (probability: number, columns: string[] | null) =>
      changeToBand(score, encoding, { row, probability, aim: 'reach', columns });
    expect(within(0.5, ['visits'])?.map(({ column }) => column)).toEqual(['visits']);
    const both = within(0.999, null);
    expect(both?.map(({ column }) => column).sort()).toEqual(['value', 'visits']);
    const moved = Object.fromEntries(both?.map(({ column, to }) => [column, to]) ?? []);
    expect(probabilityOf({ ...row, ...moved })).toBeGreaterThanOrEqual(0.999);
    expect(within(0.99999999, null)).toBeNull();
    expect(within(0.5, ['channel'])).toBeNull();
    expect(within(probabilityOf(row) - 0.01, null)).toEqual([]);
  });

  it('leaves a band downwards, and moves no missing cell', () => {
    const rich = { visits: 8, channel: 'web', value: null };
    const down = changeToBand(score, encoding, { row: rich, probability: 0.05, aim: 'leave', columns: null });
    expect(down?.map(({ column }) => column)).toEqual(['visits']);
    expect(probabilityOf({ ...rich, visits: down?.[0]?.to ?? 8 })).toBeLessThan(0.05);
  });
});

describe('changeToBand of trees', () => {
  const tree = (feature: number, threshold: number, [left, right]: readonly [number, number]): Tree => ({
    feature: Int32Array.of(feature, -1, -1),
    threshold: Float64Array.of(threshold, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    defaultLeft: Uint8Array.of(1, 0, 0),
    value: Float64Array.of(0, left, right),
    cover: Float64Array.of(2, 1, 1),
  });
  const ensemble = {
    baseScore: 0,
    trees: [tree(0, 2.5, [-1, 1]), tree(0, 5.5, [0, 1]), tree(1, 0.37, [-0.5, 0.5]), tree(1, 0.9, [0, 0.01])],
  };
  const score: ExplainedScore = { explained: { method: 'tree-shap', ensemble }, calibration: CALIBRATION };
  const encoding: TableEncoding = {
    columns: [numeric('orders', { fill: null }), numeric('share', { fill: null })],
    features: ['orders', 'share'],
    standardised: false,
  };
  const row = { orders: 1, share: 0.2 };
  const ask = (probability: number) =>
    changeToBand(score, encoding, { row, probability, aim: 'reach', columns: null });

  it('moves counts to whole numbers, and stops just beyond a threshold elsewhere', () => {
    expect(ask(0.5)).toEqual([{ column: 'orders', from: 1, to: 3 }]);
    const [small] = ask(applyCalibration(CALIBRATION, -0.6)) ?? [];
    expect(small).toMatchObject({ column: 'share', from: 0.2 });
    expect(small?.to).toBeGreaterThan(0.37);
    expect(small?.to).toBeCloseTo(0.37, 5);
    const [far] = ask(applyCalibration(CALIBRATION, 1.4)) ?? [];
    expect(far).toEqual({ column: 'orders', from: 1, to: 6 });
    expect(predictMargin(ensemble, [6, 0.2])).toBe(1.5);
    expect(ask(applyCalibration(CALIBRATION, 2))).toBeNull();
  });
});
