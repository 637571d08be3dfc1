import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScoreSpec, ModelDirectory } from '@sextant/artefacts';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { bandOf, encodeTable, seededRandom, tableOfRecords } from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ScoreExample } from '../score-task/score-example.js';
import { trainLead } from './train-lead.js';
import type { ScoreTrainingOptions } from '../score-task/train-score.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (library === null) process.stdout.write('skipped: lead training with LightGBM (no library)\n');

const DAY_MS = 86_400_000;
const NOW = new Date('2026-03-01T00:00:00Z');

/** Leads of 100 days; `margin` makes the odds of a lead from three numbers in [−1, 1]. */
function someLeads(n: number, margin: (x: number, y: number, visits: number) => number): ScoreExample[] {
  const random = seededRandom(11);
  return Array.from({ length: n }, (_, i) => {
    const [x, y, visits] = [random() * 2 - 1, random() * 2 - 1, random() * 2 - 1];
    const won = random() < 1 / (1 + Math.exp(-margin(x, y, visits)));
    const plan = x > 0.5 ? 'pro' : 'basic';
    return {
      customerId: `c${i}`,
      at: NOW.getTime() - (140 - Math.floor((100 * i) / n)) * DAY_MS,
      features: {
        x,
        y: i % 9 === 0 ? null : y,
        visits,
        plan,
        isReturning: y > 0.2,
        crm: 'v1',
        stage: won ? 'won' : 'open',
      },
      label: won ? 1 : 0,
    };
  });
}

const linear = someLeads(1500, (x, y) => 2 * x - y - 1);
const interacting = someLeads(4000, (x, y, visits) => 5 * Math.sign(x * visits) - y);

const train = (examples: readonly ScoreExample[], options: Partial<ScoreTrainingOptions> = {}) =>
  trainLead(
    { tenantId: 'demo', examples, horizonDays: 30, dataSha256: 'a'.repeat(64) },
    { seed: 3, now: NOW, lightGbm: null, onProgress: () => undefined, ...options },
  );

describe('trainLead', () => {
  it('publishes a version that ONNX Runtime serves and its explain file explains', async () => {
    const trained = await train(linear);
    const root = await mkdtemp(join(tmpdir(), 'lead-'));
    try {
      const directory = new ModelDirectory(root);
      await directory.publish(trained.draft, trained.files, trained.card);
      const { manifest, files } = await directory.readVerified('demo.lead', 1);
      const spec = manifest.spec as ScoreSpec;
      const table = tableOfRecords([{ x: 0.9, y: -0.9, plan: 'pro' }, { x: -0.9, y: 0.9 }, {}]);
      const rows = encodeTable(spec.table, table);
      const session = await InferenceSession.create(Uint8Array.from(files.get('model.onnx') ?? []));
      const input = new Tensor('float32', rows, [3, spec.table.features.length]);
      const [hot = 0, cold = 0, unknown = 0] = (await session.run({ features: input }))['probability']
        ?.data as Float32Array;
      await session.release();

      expect(spec.family).toBe('logistic');
      expect(bandOf(spec.bands, hot)).toBe('HOT');
      expect(bandOf(spec.bands, cold)).toBe('COLD');
      expect(unknown).toBeGreaterThan(cold);
      expect(unknown).toBeLessThan(hot);
      const explainer = parseExplainer(files.get('explain.json')?.toString() ?? '');
      const { baseValue, contributions } = explainer.explain(rows.subarray(0, spec.table.features.length));
      expect(Math.log(hot / (1 - hot))).toBeCloseTo(
        contributions.reduce((sum, c) => sum + c, baseValue),
        4,
      );
      expect(explainer.columns[contributions.indexOf(Math.max(...contributions))]).toBe('x');
      expect(spec.reliability.reduce((sum, { rows: n }) => sum + n, 0)).toBe(manifest.dataRows / 5);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it('says on the card what it left out, how it split and that LightGBM was missing', async () => {
    const { card, draft } = await train(linear);

    expect(card.features).not.toContain('stage');
    expect(card.features).not.toContain('crm');
    expect(card.warnings).toContainEqual(
      expect.stringContaining('"stage" left out: it gives the label away'),
    );
    expect(card.warnings).toContainEqual(expect.stringContaining('"crm" left out: the same value'));
    expect(card.warnings).toContainEqual(expect.stringContaining('LightGBM is not available'));
    expect(card.trainingData).toContain('Split by time');
    expect(draft.metrics['auc']?.value).toBeGreaterThan(0.75);
    expect(draft.metrics['auc']?.low).toBeLessThan(draft.metrics['auc']?.value ?? 0);
  });

  it('trains the baseline where the library cannot be loaded, and says why', async () => {
    const { card, draft } = await train(linear, { lightGbm: process.execPath });

    expect((draft.spec as ScoreSpec).family).toBe('logistic');
    expect(card.warnings).toContainEqual(expect.stringContaining('libgomp1'));
  });

  it('makes the same files from the same examples in any order', async () => {
    const [first, second] = [
      await train(linear, { lightGbm: library }),
      await train(linear.toReversed(), { lightGbm: library }),
    ];

    expect(second).toEqual(first);
  });

  it('reports progress that only rises and ends at 1', async () => {
    const shares: number[] = [];
    await train(linear, { onProgress: (share) => shares.push(share) });

    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it('takes the hash of customers where leads carry no times', async () => {
    const { card } = await train(linear.map((lead) => ({ ...lead, at: 0 })));

    expect(card.trainingData).toContain('Split by a seeded hash');
    expect(card.warnings).toContainEqual(expect.stringContaining('carry no times'));
  });

  it('refuses too few leads, one outcome only, and leads that say nothing', async () => {
    const lost = linear.filter(({ label }) => label === 0);
    await expect(train(linear.slice(0, 49))).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: /^49 leads.*at least 50.*lead_submitted/,
    });
    await expect(train(lost)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT', message: /, 0 won and/ });
    await expect(train([])).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
    const silent = linear.map((lead) => ({ ...lead, features: { crm: 'v1' } }));
    await expect(train(silent)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT', message: /no column/ });
  });

  it('trains on as few leads as it accepts', async () => {
    const few = [
      ...linear.filter(({ label }) => label === 1).slice(0, 20),
      ...linear.filter(({ label }) => label === 0).slice(0, 30),
    ];

    await expect(train(few, { lightGbm: library })).resolves.toMatchObject({ draft: { dataRows: 50 } });
  });
});

describe.skipIf(library === null)('the choice of the family', () => {
  it('keeps the logistic baseline where the truth is linear', async () => {
    const { draft, card } = await train(linear, { lightGbm: library });

    expect((draft.spec as ScoreSpec).family).toBe('logistic');
    expect(card.chosenBecause).toContain('the simpler model is kept');
  });

  it('takes LightGBM where columns act together', async () => {
    const { draft, card, files } = await train(interacting, { lightGbm: library });

    expect((draft.spec as ScoreSpec).family).toBe('lightgbm');
    expect(card.chosenBecause).toContain("lower than the logistic baseline's");
    expect(draft.metrics['auc']?.value).toBeGreaterThan((draft.baselineMetrics['auc']?.value ?? 1) + 0.1);
    expect(parseExplainer(new TextDecoder().decode(files.get('explain.json'))).method).toBe('tree-shap');
  });
});
