import { createHash } from 'node:crypto';
import { createDecisionsClient, type DecisionsClient, toFeatureTable } from '@sextant/inference-protocol';
import { importModel, type ImportOutcome, parseImportOrder } from '@sextant/model-import';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printTable } from './print-table.js';
import { type PythonEnvironment, type PythonModel, pythonModels } from './python-models.js';
import { until } from './until.js';
import { aRepository, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const LIMITS = { memoryBytes: 1024 ** 3, timeMs: 60_000 };
const NOW = new Date('2026-03-01T00:00:00Z');
const INSTALL_MS = 420_000;
/** The others make NaN of a missing number, or have no way for it. */
const KNOWS_MISSING = ['lightgbm', 'xgboost'];

let repository: TestRepository;
let worker: WorkerProcess;
let client: DecisionsClient;
beforeAll(async () => {
  repository = await aRepository();
  worker = await startWorkerProcess(repository.root);
  client = createDecisionsClient({ address: worker.address });
});
afterAll(async () => {
  await client?.close();
  await worker?.kill();
  await repository?.remove();
});

function takeIn(model: PythonModel, tenantId: string): Promise<ImportOutcome> {
  const order = parseImportOrder({
    tenantId,
    task: 'purchase',
    source: { url: 'file:///unused' },
    sha256: createHash('sha256').update(model.onnx).digest('hex'),
    columns: model.columns.map((feature) => ({
      feature,
      fill: KNOWS_MISSING.includes(model.name) ? null : 0,
    })),
    output: { meaning: model.meaning ?? 'PROBABILITY' },
    horizonDays: 7,
    sample: model.sample,
    card: { purpose: 'test', trainingData: 'made by a script', limitations: ['none of it is real'] },
  });
  return importModel(order, { fetch: async () => model.onnx, limits: LIMITS, now: () => NOW });
}

async function published(model: PythonModel, tenantId: string): Promise<string> {
  const { checks, imported } = await takeIn(model, tenantId);
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  if (!imported) throw new Error('it was not imported');
  expect(imported.gates.filter(({ passed, name }) => !passed && name !== 'calibration')).toEqual([]);
  const manifest = await repository.directory.publish(imported.draft, imported.files, imported.card);
  await repository.directory.setLiveVersion(manifest.model, manifest.version);
  return String(manifest.version);
}

const scores = async (model: PythonModel, tenantId: string) => {
  const rows = toFeatureTable(model.sample.map(({ row }) => row));
  const options = { deadlineMs: 20_000, tenant: tenantId, priority: 'high' as const };
  return client.scoreLeads({ model: `${tenantId}.purchase`, rows, explain: false }, options);
};

const served = (model: PythonModel, tenantId: string) =>
  until(`${model.name} answers`, 30_000, () => scores(model, tenantId).catch(() => null));

describe.each<[PythonEnvironment, number]>([
  ['trees', 5],
  ['torch', 2],
])('models of Python tools (%s)', (environment, count) => {
  let models: PythonModel[] = [];
  beforeAll(async () => {
    const found = await pythonModels(environment);
    if ('missing' in found) console.log(`skipped: ${found.missing}`);
    else models = found;
  }, INSTALL_MS);

  it('are served with the probabilities that the tool itself gives, within 1e-5', async (test) => {
    if (models.length === 0) return test.skip();
    const differences: [string, number][] = [];
    for (const model of models) {
      const tenantId = `t-${model.name}`;
      await published(model, tenantId);
      const answer = await served(model, tenantId);
      expect(answer.scores).toHaveLength(model.sample.length);
      const worst = Math.max(
        ...model.sample.map(({ expected }, i) =>
          Math.abs(expected - (answer.scores[i]?.probability ?? Number.NaN)),
        ),
      );
      differences.push([model.name, worst]);
      expect(worst, model.name).toBeLessThan(1e-5);
    }
    expect(differences).toHaveLength(count);
    printTable(
      'largest difference from the tool',
      differences.map(([model, worst]) => ({ model, worst: worst.toExponential(1) })),
    );
  });

  it('are refused with other answers, another class, other columns, and another file', async (test) => {
    const [model] = models;
    if (!model) return test.skip();
    const shifted = model.sample.map((each) => ({ ...each, expected: Math.min(1, each.expected + 2e-5) }));
    const turned = model.sample.map((each) => ({ ...each, expected: 1 - each.expected }));
    expect(await refusalOf({ ...model, sample: shifted })).toEqual(['sample', 'SAMPLE_DIFFERS']);
    expect(await refusalOf({ ...model, sample: turned })).toEqual(['sample', 'SAMPLE_DIFFERS']);
    expect(await refusalOf({ ...model, columns: model.columns.slice(1) })).toEqual([
      'signature',
      'INPUT_MISMATCH',
    ]);
    expect(await refusalOf({ ...model, columns: model.columns.toReversed() })).toEqual([
      'sample',
      'SAMPLE_DIFFERS',
    ]);
  });

  it('fail no call while they are imported and promoted under load', async (test) => {
    const [first, second = first] = models;
    if (!first || !second) return test.skip();
    const tenantId = `load-${environment}`;
    const before = await published(first, tenantId);
    await served(first, tenantId);
    const seen = new Map<string, number>();
    const failures: string[] = [];
    const load = { isOn: true };
    const callers = Array.from({ length: 8 }, async () => {
      while (load.isOn) {
        await scores(first, tenantId).then(
          ({ servedBy }) => seen.set(servedBy?.version ?? '?', (seen.get(servedBy?.version ?? '?') ?? 0) + 1),
          (error: unknown) => failures.push(String(error)),
        );
      }
    });
    const after = await published(second, tenantId);
    await until('the new version answers', 30_000, () => seen.has(after));
    load.isOn = false;
    await Promise.all(callers);

    expect(failures).toEqual([]);
    expect(seen.get(before)).toBeGreaterThan(10);
    expect([...seen.keys()].sort()).toEqual([before, after]);
  });

  async function refusalOf(model: PythonModel): Promise<unknown[]> {
    const { checks, imported } = await takeIn(model, 'refused');
    expect(imported).toBeNull();
    const failed = checks.at(-1);
    return [failed?.name, failed?.code];
  }
});
