import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ModelDirectory } from '@sextant/artefacts';
import {
  type DemandRow,
  demandTable,
  encodeTable,
  isTestRow,
  randomNormal,
  rmse,
  seededRandom,
} from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { splitDemand } from '@sextant/training/price';
import { describe, expect, it } from 'vitest';
import type { TrainedModel } from '../publisher.js';
import { trainPrice } from './train-price.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (library === null) process.stdout.write('skipped: price training with LightGBM (no library)\n');

const options = { seed: 5, now: new Date('2026-03-01T00:00:00Z'), lightGbm: null };
const training = (observations: DemandRow[]) => ({
  tenantId: 'demo',
  observations,
  dataSha256: 'b'.repeat(64),
  dataRows: observations.length,
});

/** Daily sales of three products with elasticities −2, −3 and −1.5. */
function sales(days: number, level: number): DemandRow[] {
  const random = seededRandom(8);
  return [-2, -3, -1.5].flatMap((elasticity, p) =>
    Array.from({ length: days }, (_, day) => {
      const price = Math.round(1000 * Math.exp(0.2 * randomNormal(random))) / 100;
      const log = level + elasticity * Math.log(price / 10) + 0.3 * randomNormal(random);
      const weekday = ['mon', 'tue', 'wed'][day % 3] ?? 'mon';
      const units = level < 0 ? Math.floor(Math.exp(log) + random()) : Math.exp(log);
      return { product: `p${p}`, price, units, at: new Date(day * 86_400_000), context: { weekday } };
    }),
  );
}

async function serve({ draft, files }: TrainedModel, rows: readonly DemandRow[]): Promise<Float32Array> {
  const session = await InferenceSession.create(Uint8Array.from(files.get('model.onnx') ?? []));
  if (draft.spec.task !== 'price') throw new Error('the draft must be of a price model');
  const encoded = encodeTable(draft.spec.table, demandTable(rows));
  const features = new Tensor('float32', encoded, [rows.length, draft.spec.table.features.length]);
  const { log_units: logUnits } = await session.run({ features });
  await session.release();
  return logUnits?.data as Float32Array;
}

describe('trainPrice', () => {
  it('writes a version that the model directory accepts, with elasticities, ranges and an explanation that adds up', async () => {
    const rows = sales(200, 4);
    const trained = await trainPrice(training(rows), options);
    const root = await mkdtemp(join(tmpdir(), 'price-'));
    try {
      const directory = new ModelDirectory(root);
      const { model, version } = await directory.publish(trained.draft, trained.files, trained.card);
      expect((await directory.readVerified(model, version)).manifest.spec).toEqual(trained.draft.spec);
    } finally {
      await rm(root, { recursive: true });
    }
    const { spec, metrics, baselineMetrics } = trained.draft;
    if (spec.task !== 'price') throw new Error('the draft must be of a price model');
    expect(spec.elasticity['p1']?.value).toBeCloseTo(-3, 0);
    expect(spec.priceRange['p0']?.[0]).toBe(
      Math.min(...rows.filter((r) => r.product === 'p0').map((r) => r.price)),
    );
    expect(metrics['rmse log units']?.value).toBeLessThan(0.4);
    expect(baselineMetrics['rmse log units']?.value).toBeGreaterThan(metrics['rmse log units']?.value ?? 9);
    expect(spec.contextDefaults).toEqual({ weekday: 'mon' });
    expect(trained.card.warnings).toContainEqual(expect.stringContaining('no experiment or instrument'));

    const [row] = rows;
    const explainer = parseExplainer(new TextDecoder().decode(trained.files.get('explain.json')));
    const { baseValue, contributions } = explainer.explain(
      encodeTable(spec.table, demandTable(row ? [row] : [])),
    );
    const [served] = await serve(trained, row ? [row] : []);
    expect(explainer.columns).toEqual(['product', 'price', 'weekday']);
    expect(contributions.reduce((sum, c) => sum + c, baseValue)).toBeCloseTo(served ?? 0, 4);
  });

  it('counts days without a sale, and reproduces the mean of units', async () => {
    const rows = sales(400, -0.5);
    expect(rows.some(({ units }) => units === 0)).toBe(true);
    const trained = await trainPrice(training(rows), options);
    const { spec, metrics } = trained.draft;
    if (spec.task !== 'price') throw new Error('the draft must be of a price model');
    expect(metrics).toHaveProperty('poisson deviance');
    expect(spec.elasticity['p0']?.value).toBeLessThan(-1.2);
    const logUnits = await serve(trained, rows);
    const expected = logUnits.reduce((sum, y) => sum + spec.smearing * Math.exp(y), 0);
    expect(expected / rows.reduce((sum, { units }) => sum + units, 0)).toBeCloseTo(1, 0);
  });

  it('gives the same files for the same rows and seed', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => trainPrice(training(sales(80, 4)), options)));
    expect(second).toEqual(first);
  });

  it('refuses too few observations, no sale at all and prices of 0', async () => {
    const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT' });
    const rows = sales(40, 4);
    await expect(trainPrice(training(rows.slice(0, 29)), options)).rejects.toEqual(insufficient);
    await expect(trainPrice(training(rows.map((r) => ({ ...r, units: 0 }))), options)).rejects.toEqual(
      insufficient,
    );
    const free = rows.map((r) => ({ ...r, price: 0 }));
    await expect(trainPrice(training(free), options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('works on one price and one day, and warns', async () => {
    const rows = sales(40, 4).map((row) => ({ ...row, price: 10, at: new Date(0) }));
    const { card, draft } = await trainPrice(training(rows), options);
    expect(card.warnings).toContainEqual(expect.stringContaining('ever seen at a second price'));
    expect(draft.metrics['rmse log units']?.value).toBeLessThan(1);
  });

  it.skipIf(library === null)(
    'falls in the price with LightGBM, as the constraint wants',
    { timeout: 60_000 },
    async () => {
      const random = seededRandom(4);
      const rows = sales(500, 4).map((row) => {
        const jump = row.context['weekday'] === 'tue' && row.price < 9 ? 1.5 : 0;
        return { ...row, units: row.units * Math.exp(jump + 0.05 * randomNormal(random)) };
      });
      const trained = await trainPrice(training(rows), { ...options, lightGbm: library });
      if (trained.draft.spec.task !== 'price') throw new Error('the draft must be of a price model');
      expect(trained.draft.spec.family).toBe('lightgbm');
      expect(trained.draft.onnx.gpuFile).toBe('model.gpu.onnx');
      expect([...trained.files.keys()]).toEqual([
        'model.onnx',
        'model.gpu.onnx',
        'explain.json',
        'monitor.json',
      ]);
      const curve = Array.from({ length: 40 }, (_, k) => ({
        ...(rows[1] as DemandRow),
        price: 7 + 0.15 * k,
      }));
      const logUnits = await serve(trained, curve);
      expect([...logUnits]).toEqual([...logUnits].toSorted((a, b) => b - a));
    },
  );
});

describe('splitDemand', () => {
  it('never puts an instant on both sides', () => {
    const { kind, train, validate } = splitDemand(sales(50, 4));
    const last = Math.max(...train.map(({ at }) => at.getTime()));
    expect(kind).toBe('later');
    expect(validate.every(({ at }) => at.getTime() > last)).toBe(true);
    expect(train.length + validate.length).toBe(150);
  });

  it('splits by row number where there are no times', () => {
    const { kind, validate } = splitDemand(sales(50, 4).map((row) => ({ ...row, at: new Date(0) })));
    expect([kind, validate.length > 15]).toEqual(['crc32', true]);
  });
});

const dataFolder = process.env['SEXTANT_DATA'];
if (!dataFolder) process.stdout.write('orange juice check skipped: SEXTANT_DATA is not set\n');

describe.skipIf(!dataFolder)("on Dominick's orange juice", () => {
  const juice = (): DemandRow[] => {
    const text = gunzipSync(readFileSync(join(dataFolder ?? '', 'oj_dominicks', 'oj.csv.gz'))).toString(
      'utf8',
    );
    return text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => {
        const [sold = '', price = '', product = '', feat = ''] = line.split(',');
        return {
          product,
          price: Number(price),
          units: Number(sold),
          at: new Date(0),
          context: { feat: Number(feat) },
        };
      });
  };

  it.each([
    ['log-log', null, 0.7] as const,
    ...(library === null ? [] : [['lightgbm', library, 0.67] as const]),
  ])(
    '%s reaches its bar on the test rows, with the elasticities of the regression',
    { timeout: 120_000 },
    async (family, lightGbm, bar) => {
      const rows = juice();
      const test = rows.filter((_, index) => isTestRow(index));
      const trained = await trainPrice(training(rows.filter((_, index) => !isTestRow(index))), {
        ...options,
        lightGbm,
      });
      const { spec } = trained.draft;
      if (spec.task !== 'price') throw new Error('the draft must be of a price model');
      const error = rmse(
        test.map(({ units }) => Math.log(units)),
        await serve(trained, test),
      );
      process.stdout.write(
        `orange juice, ${family}: RMSE of log sales ${error.toFixed(4)}, ${JSON.stringify(spec.elasticity)}\n`,
      );
      expect(spec.family).toBe(family);
      expect(error).toBeLessThanOrEqual(bar);
      const regression = { dominicks: -3.38, 'minute.maid': -3.32, tropicana: -2.71 };
      for (const [brand, elasticity] of Object.entries(regression)) {
        expect(Math.abs((spec.elasticity[brand]?.value ?? 0) - elasticity)).toBeLessThan(0.15);
      }
    },
  );
});
