import { describe, expect, it } from 'vitest';
import type { Tree } from '../trees/tree-ensemble.js';
import { predictMargin } from '../trees/tree-ensemble.js';
import { solveRidge, linearBase } from './base-fitter.js';
import { applyUpliftCalibration, calibrateUplift, meanEffect, upliftBins } from './calibrate-uplift.js';
import { chooseUpliftLearner, meanLearner, type UpliftLearner } from './choose-uplift.js';
import { armModel, fitInteractionLogistic, interactionUplift } from './interaction-logistic.js';
import { doublyRobustScores, fitDrLearner, fitSLearner, fitTLearner, fitXLearner } from './meta-learners.js';
import { anExperiment, correlation } from './uplift.fixture.js';
import { fixColumn, predictUplift, type UpliftModel } from './uplift-model.js';
import { checkUpliftRows } from './uplift-rows.js';

const base = linearBase({ l2: 1e-3, regressionL2: 1e-3 });
const data = anExperiment(6000);

describe('learners of effects', () => {
  it.each<[string, () => Promise<UpliftModel>]>([
    ['interaction logistic', async () => interactionUplift(fitInteractionLogistic(data, { l2: 1e-3 }))],
    ['T-learner', () => fitTLearner(data, base)],
    ['X-learner', () => fitXLearner(data, base)],
    ['DR-learner', () => fitDrLearner(data, { nuisance: base, base })],
  ])('%s finds who reacts, and how much on average', async (_, fit) => {
    const effects = predictUplift(await fit(), data.rows, data.columns);
    expect(correlation(effects, data.truth)).toBeGreaterThan(0.9);
    const average = effects.reduce((sum, effect) => sum + effect, 0) / effects.length;
    expect(average).toBeCloseTo(meanEffect(data).value, 1);
  });

  it('of an S-learner over a linear base all have one log-odds effect', async () => {
    const model = await fitSLearner(data, base);
    const [one, other] = model.terms.map(({ form }) => form);
    if (one?.kind !== 'linear' || other?.kind !== 'linear') throw new Error('linear forms were expected');
    expect(one.coefficients).toEqual(other.coefficients);
    expect(one.intercept).not.toBe(other.intercept);
  });

  it('are given equal models by equal data', async () => {
    const twice = [await fitXLearner(data, base), await fitXLearner(data, base)];
    expect(twice[0]).toEqual(twice[1]);
  });

  it('the doubly robust scores have the mean effect as their mean', async () => {
    const scores = await doublyRobustScores(data, base);
    const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    expect(mean).toBeCloseTo(meanEffect(data).value, 1);
  });
});

describe('interaction logistic', () => {
  it('without columns that matter is the log-odds of the two arms, by hand', () => {
    // control 1 of 4, treated 2 of 4: log-odds ln(1/3) and 0
    const plain = {
      rows: new Float32Array(8),
      columns: 1,
      treated: Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1),
      outcomes: Uint8Array.of(1, 0, 0, 0, 1, 1, 0, 0),
      propensity: new Float64Array(8).fill(0.5),
    };
    const model = fitInteractionLogistic(plain, { l2: 1 });
    expect(armModel(model, 0).intercept).toBeCloseTo(Math.log(1 / 3), 4);
    expect(armModel(model, 1).intercept).toBeCloseTo(0, 4);
    expect(predictUplift(interactionUplift(model), Float32Array.of(0), 1)[0]).toBeCloseTo(0.25, 4);
  });

  it('is drawn to one effect for everybody by a strong penalty, and refuses none', () => {
    const { effect } = fitInteractionLogistic(data, { l2: 1e3 });
    for (const slope of effect.coefficients) expect(Math.abs(slope)).toBeLessThan(1e-3);
    expect(() => fitInteractionLogistic(data, { l2: 0 })).toThrow(RangeError);
  });
});

describe('ridge regression', () => {
  it('meets a line, by hand, and shrinks it by l2', () => {
    const line = { rows: Float32Array.of(-1, 0, 1), columns: 1, targets: Float64Array.of(1, 3, 5) };
    const free = solveRidge(line, 1e-12);
    expect([free.coefficients[0], free.intercept]).toEqual([expect.closeTo(2, 6), expect.closeTo(3, 6)]);
    // slope = (4/3) / (2/3 + 2/3)
    expect(solveRidge(line, 2 / 3).coefficients[0]).toBeCloseTo(1, 6);
  });

  it('refuses shapes that do not fit', () => {
    expect(() =>
      solveRidge({ rows: new Float32Array(3), columns: 2, targets: new Float64Array(1) }, 1),
    ).toThrow(RangeError);
  });
});

describe('the choice of a learner', () => {
  const constant = (name: string, sign: number): UpliftLearner => ({
    name,
    fit: async () => ({
      learner: name,
      offset: 0,
      terms: [
        {
          weight: sign,
          head: 'identity',
          form: { kind: 'linear', coefficients: Float64Array.of(1, 0, 0), intercept: 0 },
        },
      ],
    }),
  });

  it('keeps the simplest of equals, and leaves it for a better one', async () => {
    const right = constant('right', 1);
    expect((await chooseUpliftLearner(data, [right, constant('same', 1)], { seed: 1 })).learner.name).toBe(
      'right',
    );
    const choice = await chooseUpliftLearner(data, [constant('wrong', -1), right], { seed: 1 });
    expect(choice.learner.name).toBe('right');
    expect(choice.because).toContain('right ranks better than wrong');
    await expect(chooseUpliftLearner(data, [], { seed: 1 })).rejects.toThrow(RangeError);
  });

  it('takes the mean of two models by taking half of each term', async () => {
    const model = await meanLearner(constant('a', 1), constant('b', 3)).fit(data);
    expect(predictUplift(model, Float32Array.of(0.5, 0, 0), 3)[0]).toBeCloseTo(1, 12);
  });
});

describe('calibration of effects', () => {
  it('takes back the spread that a model adds, and keeps the mean effect', () => {
    const exaggerated = data.truth.map((effect) => 4 * effect);
    const calibration = calibrateUplift(data, exaggerated);
    expect(calibration.slope).toBeCloseTo(0.25, 1);
    const model: UpliftModel = { learner: 'm', offset: 0.5, terms: [] };
    const { offset } = applyUpliftCalibration(model, { mean: 0.1, centre: 0.3, slope: 0.5 });
    expect(offset).toBeCloseTo(0.1 + 0.5 * 0.2, 12);
  });

  it('has slope 0 for a constant prediction', () => {
    expect(calibrateUplift(data, new Float64Array(data.treated.length)).slope).toBe(0);
  });

  it('bins observed effects in the order of the predicted ones', () => {
    const bins = upliftBins(data, data.truth, { bins: 4 });
    expect(bins).toHaveLength(4);
    expect(bins[3]?.value).toBeGreaterThan((bins[0]?.value ?? 0) + 0.2);
    for (const { low, value, high } of bins) expect(low <= value && value <= high).toBe(true);
  });

  it('knows nothing without an arm', () => {
    const treatedOnly = { ...data, treated: new Uint8Array(data.treated.length).fill(1) };
    expect(meanEffect(treatedOnly)).toMatchObject({ value: 0, low: -1, high: 1 });
  });
});

describe('fixColumn', () => {
  const tree: Tree = {
    feature: Int32Array.of(1, 0, -1, -1, -1),
    threshold: Float64Array.of(0.5, 2, 0, 0, 0),
    left: Int32Array.of(1, 3, 0, 0, 0),
    right: Int32Array.of(2, 4, 0, 0, 0),
    defaultLeft: new Uint8Array(5),
    value: Float64Array.of(0, 0, 7, 5, 6),
    cover: new Float64Array(5).fill(1),
  };

  it('answers as the whole tree does with that value, without reading the column', () => {
    for (const arm of [0, 1]) {
      const fixed = fixColumn({ baseScore: 1, trees: [tree] }, 1, arm);
      for (const x of [1, 3])
        expect(predictMargin(fixed, [x])).toBe(predictMargin({ baseScore: 1, trees: [tree] }, [x, arm]));
      expect([...(fixed.trees[0]?.feature ?? [])]).not.toContain(1);
    }
  });
});

describe('checkUpliftRows', () => {
  it.each([
    ['shapes that do not fit', { outcomes: new Uint8Array(1) }],
    ['an arm that is neither', { treated: Uint8Array.from(data.treated, () => 2) }],
    ['a propensity of 1', { propensity: new Float64Array(data.treated.length).fill(1) }],
    ['a cell that is missing', { rows: data.rows.map((x, i) => (i === 0 ? Number.NaN : x)) }],
  ])('refuses %s', (_, changes) => {
    expect(() => checkUpliftRows({ ...data, ...changes })).toThrow(RangeError);
  });
});
