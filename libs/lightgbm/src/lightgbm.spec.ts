import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { predictMargins, seededRandom } from '@sextant/learning';
import { TreeShap } from '@sextant/learning/explain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseLightGbmModel } from './lightgbm-model.js';
import { lightGbmParameters, type LightGbmParameters } from './lightgbm-parameters.js';
import { LightGbmProcess } from './lightgbm-process.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch((error: Error) => {
  process.stdout.write(`skipped: LightGBM specs (${error.message.split('\n')[0]})\n`);
  return null;
});

const COLUMNS = 4;
const defaults: LightGbmParameters = {
  objective: 'binary',
  seed: 7,
  learningRate: 0.1,
  leaves: 15,
  minRowsPerLeaf: 10,
  columnShare: 0.8,
  l2: 1,
  threads: 1,
};

/** Column 0 raises the odds, 1 bends them, 2 is missing at random and informative, 3 is noise. */
function aTable(rows: number, seed: number): { rows: Float32Array; labels: Float32Array } {
  const random = seededRandom(seed);
  const table = Float32Array.from({ length: rows * COLUMNS }, () => random() * 4 - 2);
  const labels = new Float32Array(rows);
  for (let i = 0; i < rows; i++) {
    const [x, y] = [table[i * COLUMNS] ?? 0, table[i * COLUMNS + 1] ?? 0];
    const isMissing = random() < 0.3;
    if (isMissing) table[i * COLUMNS + 2] = Number.NaN;
    const margin = x + y * y - 1 + (isMissing ? 1 : 0);
    labels[i] = random() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  }
  return { rows: table, labels };
}

const train = aTable(2000, 1);
const fresh = aTable(500, 2);

describe.skipIf(library === null)('LightGbmProcess', () => {
  let lightGbm: LightGbmProcess;
  const fit = (parameters: Partial<LightGbmParameters> = {}, rounds = 30, data = train) =>
    lightGbm.train({
      train: data,
      columns: COLUMNS,
      validation: null,
      parameters: lightGbmParameters({ ...defaults, ...parameters }),
      rounds,
      patience: 10,
    });
  beforeAll(async () => {
    lightGbm = await LightGbmProcess.open(library ?? '');
  });
  afterAll(() => lightGbm.close());

  it.each(['binary', 'regression'] as const)(
    'gives trees that predict what LightGBM predicts (%s)',
    async (objective) => {
      const { model, rounds } = await fit({ objective });
      const ensemble = parseLightGbmModel(model);
      const expected = await lightGbm.predict({
        model,
        rows: fresh.rows,
        columns: COLUMNS,
        output: 'margin',
      });
      const actual = predictMargins(ensemble, fresh.rows, COLUMNS);

      expect(rounds).toBe(30);
      expect(ensemble.trees).toHaveLength(30);
      expect(Math.max(...actual.map((margin, i) => Math.abs(margin - (expected[i] ?? 0))))).toBeLessThan(
        1e-12,
      );
    },
  );

  it('gives trees whose attributions are those of LightGBM', async () => {
    const { model } = await fit();
    const shap = new TreeShap(parseLightGbmModel(model), COLUMNS);
    const rows = fresh.rows.slice(0, 100 * COLUMNS);
    const expected = await lightGbm.predict({ model, rows, columns: COLUMNS, output: 'contributions' });

    for (let i = 0; i < 100; i++) {
      const actual = [...shap.contributions(rows.subarray(i * COLUMNS, (i + 1) * COLUMNS)), shap.baseValue];
      const differences = actual.map((phi, j) =>
        Math.abs(phi - (expected[i * (COLUMNS + 1) + j] ?? Number.NaN)),
      );
      expect(Math.max(...differences)).toBeLessThan(1e-9);
    }
  });

  it('reads NaN as LightGBM does where training saw none', async () => {
    const complete = { rows: train.rows.map((x) => (Number.isNaN(x) ? 0 : x)), labels: train.labels };
    const { model } = await fit({}, 30, complete);
    const expected = await lightGbm.predict({ model, rows: fresh.rows, columns: COLUMNS, output: 'margin' });

    const actual = predictMargins(parseLightGbmModel(model), fresh.rows, COLUMNS);
    expect(Math.max(...actual.map((margin, i) => Math.abs(margin - (expected[i] ?? 0))))).toBeLessThan(1e-12);
  });

  it('trains the same model twice, with one thread and with two', async () => {
    const [first, second] = [await fit({ threads: 1 }), await fit({ threads: 2 })];

    expect(parseLightGbmModel(first.model)).toEqual(parseLightGbmModel(second.model));
  });

  it('stops early and keeps the best round only', async () => {
    const { model, rounds, validationLoss } = await lightGbm.train({
      train,
      columns: COLUMNS,
      validation: fresh,
      parameters: lightGbmParameters({ ...defaults, learningRate: 0.5 }),
      rounds: 300,
      patience: 10,
    });

    expect(rounds).toBeGreaterThan(1);
    expect(rounds).toBeLessThan(200);
    expect(parseLightGbmModel(model).trees).toHaveLength(rounds);
    const margins = predictMargins(parseLightGbmModel(model), fresh.rows, COLUMNS);
    const losses = margins.map((margin, i) => Math.log1p(Math.exp(fresh.labels[i] === 1 ? -margin : margin)));
    expect(losses.reduce((sum, loss) => sum + loss, 0) / losses.length).toBeCloseTo(validationLoss ?? 0, 9);
  });

  it('hands over a model of more than 4 MiB whole', async () => {
    const { model } = await fit({ leaves: 127, minRowsPerLeaf: 2 }, 450);

    expect(model.length).toBeGreaterThan(4 * 1024 * 1024);
    expect(parseLightGbmModel(model).trees).toHaveLength(450);
  });

  it('keeps a monotone column monotone', async () => {
    const { model } = await fit({ monotone: [-1, 0, 0, 0] });
    const ensemble = parseLightGbmModel(model);
    const line = Float32Array.from({ length: 41 * COLUMNS }, (_, i) =>
      i % COLUMNS === 0 ? i / COLUMNS / 10 - 2 : 0.5,
    );

    const margins = [...predictMargins(ensemble, line, COLUMNS)];
    expect(margins).toEqual(margins.toSorted((a, b) => b - a));
  });

  it('counts a weight of 2 as the row twice', async () => {
    const weights = Float32Array.from(train.labels, (_, i) => (i < 1000 ? 2 : 1));
    const weighted = await lightGbm.train({
      train: { ...train, weights },
      columns: COLUMNS,
      validation: null,
      parameters: lightGbmParameters({ ...defaults, objective: 'regression', leaves: 2 }),
      rounds: 1,
      patience: 1,
    });
    const [leaf] = parseLightGbmModel(weighted.model).trees;
    const plain = await fit({ objective: 'regression', leaves: 2 }, 1);

    expect(leaf?.value).not.toEqual(parseLightGbmModel(plain.model).trees[0]?.value);
  });

  it('learns a quantile: the share of fresh labels below it is its level', async () => {
    const labelsOf = (table: typeof train): Float32Array => {
      const random = seededRandom(9);
      return Float32Array.from(table.labels, (_, i) => (table.rows[i * COLUMNS] ?? 0) + random() * 2);
    };
    const { model } = await fit({ objective: 'quantile', quantile: 0.9 }, 100, {
      ...train,
      labels: labelsOf(train),
    });
    const margins = predictMargins(parseLightGbmModel(model), fresh.rows, COLUMNS);
    const below = labelsOf(fresh).filter((label, i) => label <= (margins[i] ?? 0)).length / 500;

    expect(below).toBeGreaterThan(0.85);
    expect(below).toBeLessThan(0.95);
  });

  it('learns to rank within queries and stops by NDCG', async () => {
    const ranked = (table: typeof train) => ({
      ...table,
      // Column 3 shifts a whole query: it must not matter within it.
      rows: table.rows.map((x, at) => (at % COLUMNS === 3 ? Math.floor(at / COLUMNS / 20) : x)),
      labels: Float32Array.from(table.labels, (_, i) => ((table.rows[i * COLUMNS] ?? 0) > 1 ? 2 : 0)),
      group: new Int32Array(table.labels.length / 20).fill(20),
    });
    const { model, rounds, validationLoss } = await lightGbm.train({
      train: ranked(train),
      columns: COLUMNS,
      validation: ranked(fresh),
      parameters: lightGbmParameters({ ...defaults, objective: 'lambdarank', columnShare: 1, rankAt: 5 }),
      rounds: 50,
      patience: 5,
    });

    expect(validationLoss).toBeLessThan(0.02);
    expect(rounds).toBeLessThan(50);
    expect(parseLightGbmModel(model).trees).toHaveLength(rounds);
  });

  it('refuses queries whose rows do not add up', async () => {
    const data = { ...train, group: Int32Array.of(3, 4) };

    await expect(fit({ objective: 'lambdarank' }, 2, data)).rejects.toMatchObject({
      code: 'TRAINING_FAILED',
      message: expect.stringMatching(/query/i),
    });
  });

  it('gives other trees with a share of the rows and with fewer bins', async () => {
    const [plain, bagged, coarse] = [
      await fit({}, 3),
      await fit({ rowShare: 0.5 }, 3),
      await fit({ bins: 4 }, 3),
    ];
    const thresholds = parseLightGbmModel(coarse.model).trees.flatMap((tree) =>
      [...tree.threshold].filter((_, node) => tree.feature[node] === 0),
    );

    expect(bagged.model).not.toBe(plain.model);
    expect(new Set(thresholds).size).toBeLessThanOrEqual(3);
  });

  it('answers data that LightGBM refuses with its message, and goes on', async () => {
    await expect(fit({ monotone: [1] })).rejects.toMatchObject({
      code: 'TRAINING_FAILED',
      message: expect.stringMatching(/^LightGBM: .*monotone/i),
    });
    await expect(fit({}, 2)).resolves.toMatchObject({ rounds: 2 });
  });

  it('turns the death of its process into an error of the request', async () => {
    const doomed = await LightGbmProcess.open(library ?? '');
    const training = doomed.train({
      train: aTable(20_000, 3),
      columns: COLUMNS,
      validation: null,
      parameters: lightGbmParameters(defaults),
      rounds: 100_000,
      patience: 10,
    });
    const settled = expect(training).rejects.toMatchObject({
      code: 'TRAINING_FAILED',
      message: /ended with SIGKILL/,
    });
    await doomed.close();
    await settled;
    await expect(
      doomed.predict({ model: '', rows: fresh.rows, columns: 4, output: 'margin' }),
    ).rejects.toMatchObject({
      code: 'TRAINING_FAILED',
    });
  });
});

describe('a file that is no LightGBM', () => {
  it('is refused with the remedy', async () => {
    await expect(LightGbmProcess.open(process.execPath)).rejects.toMatchObject({
      code: 'LIGHTGBM_UNAVAILABLE',
      message: expect.stringContaining('libgomp1'),
    });
  });
});

describe('parseLightGbmModel', () => {
  it('refuses a text that is not a model of numerical splits', () => {
    expect(() => parseLightGbmModel('')).toThrow('does not begin');
    expect(() => parseLightGbmModel('tree\nversion=v4\nnum_tree_per_iteration=3\n')).toThrow('several trees');
    expect(() =>
      parseLightGbmModel('tree\nnum_tree_per_iteration=1\n\nTree=0\nnum_leaves=2\nnum_cat=1\n'),
    ).toThrow('categories');
  });

  it('reads a tree that is one leaf', () => {
    const text =
      'tree\nnum_tree_per_iteration=1\n\nTree=0\nnum_leaves=1\nnum_cat=0\nleaf_value=0.25\n\nend of trees\n';

    expect(predictMargins(parseLightGbmModel(text), Float64Array.of(1), 1)).toEqual(Float64Array.of(0.25));
  });
});
