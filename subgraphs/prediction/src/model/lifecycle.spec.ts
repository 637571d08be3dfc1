import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Gate, GATE_NAMES, ModelDirectory } from '@sextant/artefacts';
import { ModelLifecycle, ModelVersions, TrainingJobs } from '@sextant/model-registry';
import { aCard, aDraft } from '@sextant/model-registry/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction } from '../testing/prediction.fixture.js';

const MODEL = 'demo.recommend';
const GATES: Gate[] = GATE_NAMES.map((name) => ({ name, required: 'r', observed: 'o', passed: true }));

describe('the lifecycle on the graph', () => {
  let root: string;
  let prediction: Prediction;
  let repository: ModelDirectory;
  let lifecycle: ModelLifecycle;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sextant-graph-models-'));
    prediction = await aPrediction({ env: { MODEL_REPOSITORY: root } });
    repository = new ModelDirectory(root);
    lifecycle = new ModelLifecycle(repository, new ModelVersions(prediction.db));
  });
  afterAll(async () => {
    await prediction.stop();
    await rm(root, { recursive: true, force: true });
  });

  const publish = async (gates = GATES): Promise<string> => {
    const files = new Map([['model.onnx', Buffer.from(`onnx ${Math.random()}`)]]);
    const manifest = await repository.publish(aDraft(MODEL), files, aCard());
    const importance = { price: 0.25, views: 0.75 };
    const fairness = [
      {
        ...{
          attribute: 'sex',
          group: 'F',
          n: 7,
          selectionRate: { value: 0.1, low: 0, high: 0.3, level: 0.95 },
        },
        ...{ disparateImpact: null, tprGap: null, calibrationGap: 0.02 },
      },
    ];
    const findings = { gates, origin: 'TRAINED', importance, fairness, by: 'trainer' } as const;
    return (await lifecycle.register(manifest, aCard(), findings)).id;
  };
  const promote = (versionId: string, more = 'to: LIVE') =>
    prediction.ask(`mutation { promoteModel(versionId: "${versionId}", ${more}) {
      version { id stage share history { from to by reason overridden } } blockedBy { name required observed passed } } }`);

  it('promotes, shows the challenger, and rolls back', async () => {
    const [first, second] = [await publish(), await publish()];
    expect((await promote(first)).data.promoteModel).toMatchObject({
      version: { id: first, stage: 'LIVE', share: null },
      blockedBy: [],
    });
    expect(
      (await promote(second, 'to: CANARY, share: 0.2')).data.promoteModel.version.history.at(-1),
    ).toEqual({ from: 'CANDIDATE', to: 'CANARY', by: 'user-1', reason: null, overridden: [] });
    const { data } = await prediction.ask(`{ model(id: "recommend") { live { id } challenger {
      id stage share origin gates { name passed } importance { feature share }
      fairness { attribute group n selectionRate { value low high level } disparateImpact tprGap calibrationGap } } } }`);
    expect(data.model).toMatchObject({
      live: { id: first },
      challenger: {
        ...{ id: second, stage: 'CANARY', share: 0.2, origin: 'TRAINED' },
        importance: [
          { feature: 'views', share: 0.75 },
          { feature: 'price', share: 0.25 },
        ],
        fairness: [{ attribute: 'sex', group: 'F', n: 7, disparateImpact: null }],
      },
    });
    expect(data.model.challenger.gates).toHaveLength(GATES.length);
    await promote(second);
    const back = await prediction.ask(
      `mutation { rollbackModel(modelId: "recommend", reason: "worse") { id stage history { to reason } } }`,
    );
    expect(back.data.rollbackModel).toMatchObject({ id: first, stage: 'LIVE' });
    expect(back.data.rollbackModel.history.at(-1)).toEqual({ to: 'LIVE', reason: 'worse' });
    expect((await repository.readEntry(MODEL)).live).toBe(1);
  });

  it('names the gates that block, and wants a reason for going on', async () => {
    const id = await publish(GATES.map((gate) => ({ ...gate, passed: gate.name !== 'latency' })));
    const refused = (await promote(id)).data.promoteModel;
    expect(refused).toMatchObject({
      version: { stage: 'CANDIDATE' },
      blockedBy: [{ name: 'latency', required: 'r', observed: 'o', passed: false }],
    });
    expect((await promote(id, 'to: LIVE, override: "so"')).errors?.[0]?.extensions.code).toBe(
      'INVALID_INPUT',
    );
    const override = 'the night run may be slow';
    const { version } = (await promote(id, `to: LIVE, override: "${override}"`)).data.promoteModel;
    expect(version.history.at(-1)).toMatchObject({ reason: override, overridden: ['latency'] });
  });

  it('takes a model out of service and refuses what is not there', async () => {
    const { data } = await prediction.ask(
      `mutation { retireModel(modelId: "recommend", reason: "season is over") { stage } }`,
    );
    expect(data.retireModel).toEqual([{ stage: 'RETIRED' }]);
    expect((await repository.readEntry(MODEL)).live).toBeNull();
    expect((await promote('demo.recommend@99')).errors?.[0]?.extensions.code).toBe('MODEL_VERSION_NOT_FOUND');
    const rival = anIdentity({ tenantId: 'rival' });
    const answer = await prediction.ask(
      `mutation { promoteModel(versionId: "demo.recommend@1", to: LIVE) { blockedBy { name } } }`,
      {},
      rival,
    );
    expect(answer.errors?.[0]?.extensions.code).toBe('MODEL_VERSION_NOT_FOUND');
  });

  it('cancels a training run of its own tenant only', async () => {
    const jobs = new TrainingJobs(prediction.db);
    const { id } = await jobs.enqueue({ tenantId: 'demo', task: 'lead' });
    const cancel = `mutation { cancelTraining(id: "${id}") { state } }`;
    expect(
      (await prediction.ask(cancel, {}, anIdentity({ tenantId: 'rival' }))).data.cancelTraining,
    ).toBeNull();
    expect((await jobs.find('demo', id))?.state).toBe('QUEUED');
    expect((await prediction.ask(cancel)).data.cancelTraining).toEqual({ state: 'CANCELLED' });
  });
});

describe('a subgraph without MODEL_REPOSITORY', () => {
  it('says so to a promotion, and answers the rest', async () => {
    const prediction = await aPrediction();
    try {
      const refused = await prediction.ask(`mutation { rollbackModel(modelId: "lead", reason: "r") { id } }`);
      expect(refused.errors?.[0]?.extensions.code).toBe('MODEL_REPOSITORY_UNSET');
      expect((await prediction.ask(`{ model(id: "lead") { live { id } } }`)).data.model.live).toBeNull();
    } finally {
      await prediction.stop();
    }
  });
});
