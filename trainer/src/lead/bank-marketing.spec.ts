import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ScoreSpec } from '@sextant/artefacts';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { auc, encodeTable, isTestRow, logLoss, tableOfRecords } from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ScoreExample } from '../score-task/score-example.js';
import type { TrainedModel } from '../publisher.js';
import { trainLead } from './train-lead.js';

const folder = process.env['SEXTANT_DATA'];
if (folder === undefined) process.stdout.write('skipped: bank_marketing (SEXTANT_DATA is not set)\n');
const lightGbm = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (lightGbm === null) process.stdout.write('skipped: bank_marketing (no LightGBM library)\n');

const NOW = new Date('2026-01-01T00:00:00Z');
const DAY_MS = 86_400_000;

function readLeads(path: string): ScoreExample[] {
  const [header = '', ...lines] = gunzipSync(readFileSync(path)).toString().trim().split('\n');
  const names = header.trim().split(',');
  return lines.map((line, row) => {
    const {
      y,
      duration: _knownOnlyAfterTheCall,
      ...features
    } = Object.fromEntries(
      line
        .trim()
        .split(',')
        .map((cell, i) => [names[i] ?? '', cell]),
    );
    return { customerId: `row-${row}`, at: 0, features, label: y === 'yes' ? 1 : 0 };
  });
}

async function probabilities(model: TrainedModel, leads: readonly ScoreExample[]): Promise<Float32Array> {
  const { table } = model.draft.spec as ScoreSpec;
  const rows = encodeTable(table, tableOfRecords(leads.map(({ features }) => features)));
  const session = await InferenceSession.create(model.files.get('model.onnx') ?? new Uint8Array(), {
    executionProviders: ['cpu'],
  });
  const input = new Tensor('float32', rows, [leads.length, table.features.length]);
  const output = (await session.run({ features: input }))['probability']?.data;
  await session.release();
  return output as Float32Array;
}

describe.skipIf(folder === undefined || lightGbm === null)(
  'trainLead on bank_marketing, without duration',
  () => {
    let leads: ScoreExample[];
    let fresh: ScoreExample[];
    const train = (examples: ScoreExample[]) =>
      trainLead(
        { tenantId: 'bank', examples, horizonDays: 30, dataSha256: '0'.repeat(64) },
        { seed: 7, now: NOW, lightGbm, onProgress: () => undefined },
      );
    const figures = async (model: TrainedModel) => {
      const scores = await probabilities(model, fresh);
      const labels = fresh.map(({ label }) => label);
      return { auc: auc(labels, scores), logLoss: logLoss(labels, scores) };
    };
    beforeAll(() => {
      const all = readLeads(join(folder ?? '', 'bank_marketing', 'bank_full.csv.gz'));
      leads = all.filter((_, row) => !isTestRow(row));
      fresh = all.filter((_, row) => isTestRow(row));
    });

    it('reaches AUC .795 on the test rows where leads carry no times, through ONNX, and adds up its reasons', async () => {
      const model = await train(leads);
      const { auc: reached, logLoss: loss } = await figures(model);
      process.stdout.write(
        `bank_marketing, split by hash: AUC ${reached.toFixed(4)}, log-loss ${loss.toFixed(4)}, ${model.card.chosenBecause}\n`,
      );

      expect(model.card.trainingData).toContain('Split by a seeded hash');
      expect(reached).toBeGreaterThanOrEqual(0.795);
      expect(loss).toBeLessThan(0.29);

      const spec = model.draft.spec as ScoreSpec;
      const explainer = parseExplainer(new TextDecoder().decode(model.files.get(spec.explainFile ?? '')));
      const some = fresh.slice(0, 1000);
      const scores = await probabilities(model, some);
      const rows = encodeTable(spec.table, tableOfRecords(some.map(({ features }) => features)));
      const width = spec.table.features.length;
      for (const [i, score] of scores.entries()) {
        const { baseValue, contributions } = explainer.explain(rows.subarray(i * width, (i + 1) * width));
        const total = contributions.reduce((sum, c) => sum + c, baseValue);
        expect(Math.abs(1 / (1 + Math.exp(-total)) - score)).toBeLessThan(1e-6);
      }
    }, 120_000);

    it('reaches AUC .795 on the test rows where the order of the rows is the time', async () => {
      const model = await train(
        leads.map((lead, i) => ({
          ...lead,
          at: NOW.getTime() - (leads.length - i) * (DAY_MS / 40) - 30 * DAY_MS,
        })),
      );
      const { auc: reached, logLoss: loss } = await figures(model);
      process.stdout.write(
        `bank_marketing, split by time: AUC ${reached.toFixed(4)}, log-loss ${loss.toFixed(4)}, ${model.card.chosenBecause}\n`,
      );

      expect(model.card.trainingData).toContain('Split by time');
      expect(reached).toBeGreaterThanOrEqual(0.795);
    }, 120_000);
  },
);
