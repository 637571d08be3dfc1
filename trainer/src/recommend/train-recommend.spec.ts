import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory, monitoringReference } from '@sextant/artefacts';
import { seededRandom } from '@sextant/learning';
import {
  type CustomerInteractions,
  fillHistoryRow,
  rankSlate,
  weighHistory,
} from '@sextant/learning/recommend';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { trainRecommend } from './train-recommend.js';

const options = { seed: 3, now: new Date('2026-03-01T00:00:00Z') };

/** Two groups of customers who shop in different halves of 40 items. */
function company(customers: number): CustomerInteractions[] {
  const random = seededRandom(17);
  return Array.from({ length: customers }, (_, c) => ({
    customerId: `cus_${c}`,
    interactions: Array.from({ length: 10 }, (_, k) => ({
      itemId: `p${String((c % 2) * 20 + Math.floor(20 * random() ** 2)).padStart(2, '0')}`,
      at: Date.UTC(2026, 0, 1 + k, c % 24),
    })),
  }));
}

const training = (customers: CustomerInteractions[]) => ({
  tenantId: 'demo',
  customers,
  dataSha256: 'a'.repeat(64),
  dataRows: customers.length * 10,
});

describe('trainRecommend', () => {
  it('writes a version that the model directory accepts and ONNX Runtime serves', async () => {
    const steps: number[] = [];
    const trained = await trainRecommend(training(company(120)), {
      ...options,
      onProgress: (share) => void steps.push(share),
    });
    const root = await mkdtemp(join(tmpdir(), 'recommend-'));
    try {
      const directory = new ModelDirectory(root);
      const { model, version } = await directory.publish(trained.draft, trained.files, trained.card);
      const { manifest, files } = await directory.readVerified(model, version);
      if (manifest.spec.task !== 'recommend') throw new Error('the manifest must be of a recommender');
      const { items, tauItems } = manifest.spec;
      expect(files.get(manifest.spec.similarityFile)?.byteLength).toBe(4 * (items.length + 1) * items.length);

      const session = await InferenceSession.create(Uint8Array.from(files.get('model.onnx') ?? []));
      const row = new Float32Array(items.length + 1);
      fillHistoryRow(row, weighHistory([items.indexOf('p21'), items.indexOf('p23')], tauItems));
      const { scores } = await session.run({ history: new Tensor('float32', row, [1, row.length]) });
      const slate = rankSlate(scores?.data as Float32Array, { first: 5 }).map((item) => items[item]);
      expect(slate.every((item) => item !== undefined && item >= 'p20')).toBe(true);
      await session.release();
    } finally {
      await rm(root, { recursive: true });
    }
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(steps.at(-1)).toBe(1);
    expect(trained.draft.metrics['ndcg@10']?.value).toBeGreaterThan(
      trained.draft.baselineMetrics['ndcg@10']?.value ?? 1,
    );
    expect(trained.card.chosenBecause).toContain('EASE');
  });

  it('serves a catalogue that is too large for a dense matrix from factors, in the same form', async () => {
    const { draft, files, card } = await trainRecommend(training(company(120)), {
      ...options,
      denseItems: 10,
    });
    if (draft.spec.task !== 'recommend') throw new Error('the draft must be of a recommender');
    const { items, rank, tauItems, components } = draft.spec;
    expect(components).toEqual([{ model: 'als', regularisation: 1, reachItems: null }]);
    expect(files.get('similarity.f32')?.byteLength).toBe(4 * (2 * items.length + 1) * (rank ?? 0));
    expect(card.chosenBecause).toContain('too large');

    const session = await InferenceSession.create(Uint8Array.from(files.get('model.onnx') ?? []));
    const row = new Float32Array(items.length + 1);
    fillHistoryRow(row, weighHistory([items.indexOf('p21'), items.indexOf('p23')], tauItems));
    const { scores } = await session.run({ history: new Tensor('float32', row, [1, row.length]) });
    const slate = rankSlate(scores?.data as Float32Array, { first: 5 }).map((item) => items[item]);
    expect(slate.every((item) => item !== undefined && item >= 'p20')).toBe(true);
    await session.release();
  });

  it('gives the same files for the same rows and seed', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => trainRecommend(training(company(60)), options)),
    );
    expect(second?.draft).toEqual(first?.draft);
    expect(second?.files).toEqual(first?.files);
  });

  it('trains on a handful of single visits, and says that nothing could be judged', async () => {
    const visits = ['a', 'b'].map((itemId, at) => ({ customerId: itemId, interactions: [{ itemId, at }] }));
    const { draft, card } = await trainRecommend(training(visits), options);
    expect(draft.metrics).toEqual({});
    expect(card.warnings).toContainEqual(expect.stringContaining('0 customers could be judged'));
  });

  it('says what histories were like, which worker and monitor compare with', async () => {
    const { draft, files } = await trainRecommend(training(company(60)), options);
    const text = new TextDecoder().decode(files.get(draft.monitorFile ?? ''));
    const { features, rows } = monitoringReference.parse(JSON.parse(text));
    expect(features.map(({ name, importance }) => [name, importance])).toEqual([
      ['history_items', 0],
      ['unknown_share', 0],
    ]);
    expect(rows).toBe(60);
    expect(features[0]?.bins.reduce((sum, each) => sum + each, 0)).toBe(60);
  });

  it('refuses to train on nothing', async () => {
    await expect(trainRecommend(training([]), options)).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });
});
