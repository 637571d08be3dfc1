import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory, type PriceSpec, type ScoreSpec, type ScoreTask } from '@sextant/artefacts';
import { DomainError, ROLE_SCOPES } from '@sextant/domain';
import { writeExplainer } from '@sextant/learning/explain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, leadForm, type Prediction } from '../testing/prediction.fixture.js';

const EDGES = { warm: 0.1, hot: 0.5 };
/** Through the log-odds of 0.1 at 1,000 and of 0.5 at 5,000, where the worker of these tests has its bands. */
const SLOPE = Math.log(9) / 4_000;
const CALIBRATION = { a: 1, b: 0 };

const numeric = (column: string, range: [number, number]) => ({
  ...{ kind: 'numeric' as const, column, fill: 0, transform: 'none' as const },
  ...{ mean: 0, scale: 1, missingIndicator: false, range },
});

function table(names: readonly string[]): ScoreSpec['table'] {
  return {
    columns: [
      ...names.map((name) => numeric(name, [0, 20_000])),
      { kind: 'categorical', column: 'form.industry', categories: ['steel', 'wood'] },
    ],
    features: [...names, 'form.industry=steel', 'form.industry=wood', 'form.industry=(other)'],
    standardised: true,
  };
}

function scoreSpec(task: ScoreTask, encoding: ScoreSpec['table']): ScoreSpec {
  return {
    ...{ task, table: encoding, family: 'logistic', explainFile: 'explain.json', bands: EDGES },
    quantiles: Array.from({ length: 101 }, (_, i) => i / 100),
    ...{ reliability: [], horizonDays: 30 },
  };
}

const PRICE: PriceSpec = {
  ...{ task: 'price', family: 'log-log', productColumn: 'product', priceColumn: 'price', residualSd: 0.1 },
  table: {
    columns: [numeric('price', [1, 100]), numeric('display', [0, 1])],
    features: ['price', 'display'],
    standardised: false,
  },
  ...{ smearing: 1, unitsPeriodDays: 7, priceRange: {}, elasticity: {}, explainFile: null },
  contextDefaults: {},
};

/** Version 7, which the worker of these tests says that it is, of every model; it is read and never run. */
async function publish(root: string): Promise<void> {
  const directory = new ModelDirectory(root);
  const leads = table(['form.budget', 'form.seats']);
  const model = { coefficients: Float64Array.of(SLOPE, 1e-9, 0, 0, 0), intercept: -5_000 * SLOPE };
  const explainer = writeExplainer(
    leads,
    { method: 'linear', model, means: new Float64Array(5) },
    CALIBRATION,
  );
  const specs = [
    ['demo.lead', scoreSpec('lead', leads)],
    ['demo.price', PRICE],
  ] as const;
  for (const [name, spec] of specs) {
    for (let version = 1; version <= 7; version++) {
      await directory.publish(
        {
          ...{ model: name, tenantId: 'demo', trainedAt: '2026-02-01T00:00:00Z', seed: 1, dataRows: 0, spec },
          ...{ dataSha256: '0'.repeat(64), metrics: {}, baselineMetrics: {}, warmUpBatchSizes: [1] },
          onnx: {
            opset: 17,
            inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 5] }],
            outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
          },
        },
        new Map([
          ['model.onnx', Buffer.from('never run')],
          ['explain.json', Buffer.from(explainer)],
        ]),
        {
          ...{ purpose: 'test', trainingData: 'none', features: [], chosenBecause: '', metrics: {} },
          ...{ baselineMetrics: {}, limitations: ['a test model'], warnings: [] },
        },
      );
    }
  }
}

const ASK = `query ($id: ID!, $changes: JSON!, $actionable: [String!]) { decision(id: $id) {
  whatIf(changes: $changes, actionable: $actionable) { before after unit bandBefore bandAfter
    minimalChange { toBand after changes { column from to } } } } }`;

describe('what-if of a logged decision', () => {
  let root: string;
  let prediction: Prediction;
  const budgets = [500, 9_000, 700, 3_333];
  let customers: string[];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sextant-what-if-'));
    await publish(root);
    prediction = await aPrediction({ env: { MODEL_REPOSITORY: root } });
    customers = await prediction.customers(budgets.map((budget) => [leadForm(budget)]));
    prediction.catalogue.list('shoes', '49.90', '20.00');
  });
  afterAll(async () => {
    await prediction.stop();
    await rm(root, { recursive: true, force: true });
  });
  const scored = async (budget: number): Promise<string> => {
    const ids = [customers[budgets.indexOf(budget)]];
    const { data } = await prediction.ask(
      'query ($ids: [ID!]!) { scoreLeads(customerIds: $ids) { decisionId } }',
      { ids },
    );
    return data.scoreLeads[0].decisionId;
  };
  const whatIf = (id: string, changes: unknown, actionable: string[] | null = null, as = anIdentity()) =>
    prediction.ask(ASK, { id, changes, actionable }, as);

  it('answers before and after, and the least that brings a lead into the next band, as the version says', async () => {
    const id = await scored(500);
    const { data, errors } = await whatIf(id, { 'form.budget': 6_000 });
    expect(errors).toBeUndefined();
    expect(data.decision.whatIf).toEqual({
      ...{ before: 0.05, after: 0.6, unit: 'probability', bandBefore: 'COLD', bandAfter: 'HOT' },
      minimalChange: {
        toBand: 'WARM',
        after: 0.1001,
        changes: [{ column: 'form.budget', from: 500, to: 1_001 }],
      },
    });
    const hot = await whatIf(await scored(9_000), {});
    expect(hot.data.decision.whatIf).toMatchObject({
      bandBefore: 'HOT',
      bandAfter: 'HOT',
      minimalChange: null,
    });
    const elsewhere = await whatIf(id, {}, ['form.seats']);
    expect(elsewhere.data.decision.whatIf.minimalChange).toBeNull();
  });

  it('does not count as a decision, neither here nor at the worker', async () => {
    const id = await scored(700);
    const decisions = prediction.db.collection('decisions');
    prediction.worker.metadata.length = 0;
    await whatIf(id, { 'form.budget': 800 });
    expect(prediction.worker.metadata).toMatchObject([
      { 'sextant-counted': 'no', 'sextant-priority': 'low' },
    ]);
    await expect.poll(() => decisions.countDocuments({ input: /"form\.budget":700\b/ })).toBe(1);
    expect(await decisions.countDocuments({ input: /"form\.budget":800\b/ })).toBe(0);
  });

  it.each([
    [{ 'form.budgets': 1 }, 'changes["form.budgets"] is no column of the model, which has form.budget'],
    [{ 'form.budget': '1000' }, 'changes["form.budget"] must be a number'],
    [{ 'form.budget': 30_000 }, 'must be within 0 and 20000'],
    [{ 'form.industry': 'glass' }, 'must be one of steel, wood'],
    [{ 'form.industry': 3 }, 'changes["form.industry"] must be a text'],
    [[1], 'changes must be an object'],
  ])('refuses %j, naming the column', async (changes, message) => {
    const { errors } = await whatIf(await scored(500), changes);
    expect(errors?.[0]).toMatchObject({
      extensions: { code: 'INVALID_INPUT' },
      message: expect.stringContaining(message) as string,
    });
  });

  it('takes null for missing, and texts that the model knows', async () => {
    const { data } = await whatIf(await scored(500), { 'form.budget': null, 'form.industry': 'wood' });
    expect(data.decision.whatIf).toMatchObject({ before: 0.05, after: 0.01 });
    const bad = await whatIf(await scored(500), {}, ['form.industry']);
    expect(bad.errors?.[0]?.message).toContain('actionable["form.industry"] is no numeric column');
  });

  it('answers prices in major units, by context and stock', async () => {
    const { data: quoted } = await prediction.ask('{ priceQuotes(productIds: ["shoes"]) { decisionId } }');
    const id = quoted.priceQuotes[0].decisionId;
    const { data } = await whatIf(id, { display: 1, stock: 0 });
    expect(data.decision.whatIf).toEqual({
      ...{ before: 44.91, after: 44.91, unit: 'EUR', bandBefore: null, bandAfter: null, minimalChange: null },
    });
    expect(prediction.worker.requests.at(-1)).toMatchObject({ rows: [{ stock: 5 }, { stock: 0 }] });
    const price = await whatIf(id, { price: 12 });
    expect(price.errors?.[0]?.message).toContain(
      'changes["price"] is no column of the model, which has display',
    );
    const stock = await whatIf(id, { stock: 1.5 });
    expect(stock.errors?.[0]?.message).toContain('changes["stock"] must be units on hand');
  });

  it('is for what a model computed from its input, for those who may, and twenty times a request', async () => {
    prediction.worker.refusal = new DomainError('MODEL_NOT_FOUND', 'none');
    const ruled = await scored(3_333);
    prediction.worker.refusal = null;
    expect((await whatIf(ruled, {})).errors?.[0]?.message).toContain('was not computed from its input');
    const id = await scored(500);
    const web = anIdentity({ roles: ['web'], scopes: [...ROLE_SCOPES.web, 'lead:read'] });
    expect((await whatIf(id, {}, null, web)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const many = Array.from({ length: 21 }, (_, i) => `w${i}: whatIf(changes: {}) { before }`).join(' ');
    const { errors } = await prediction.ask(`{ decision(id: "${id}") { ${many} } }`);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BATCH_TOO_LARGE']);
  });
});
