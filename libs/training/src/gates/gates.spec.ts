import { auditGroups } from '@sextant/learning/fairness';
import { seededRandom, tableOfRecords } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { scoreEvidence } from '../table/score-evidence.js';
import type { TableExamples } from '../table/table-examples.js';
import { type TrainedTableScore, trainTableScore } from '../table/train-table-score.js';
import { cardGate, latencyGate, parityGate } from './file-gates.js';
import { liveGate } from './live-gate.js';
import type { OpenedVersion } from './model-evidence.js';
import { fairnessGate, fairnessSlices, notApplicable } from './quality-gates.js';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');

/** Rows of 200 days whose outcome follows `signal` so far; group `b` is rarer and, with a gap, seldom positive. */
function examples({
  rows = 2_000,
  strength = 2,
  leak = false,
  seed = 3,
}): TableExamples & { groups: string[] } {
  const random = seededRandom(seed);
  const drawn = Array.from({ length: rows }, (_, i) => {
    const signal = random() * 2 - 1;
    const label = random() < 1 / (1 + Math.exp(-strength * signal)) ? 1 : 0;
    return {
      features: { signal, noise: random(), ...(leak && { answer: label + 0.3 * random() }) },
      label,
      at: START + (i / rows) * 200 * DAY_MS,
      group: random() < 0.3 ? 'b' : 'a',
    };
  });
  return {
    table: tableOfRecords(drawn.map(({ features }) => features)),
    groupIds: drawn.map((_, i) => `c${i}`),
    at: Float64Array.from(drawn, ({ at }) => at),
    labels: Uint8Array.from(drawn, ({ label }) => label),
    groups: drawn.map(({ group }) => group),
  };
}

const WORDS = {
  ...{ examples: 'rows', positive: 'won', negative: 'lost', groups: 'customers' },
  ...{ remedy: 'send more', limitation: 'none' },
};
const train = (data: TableExamples, keep: string[] = []): Promise<TrainedTableScore> =>
  trainTableScore(data, { seed: 1, lightGbm: null, horizon: 0, words: WORDS, keep });
const evidence = (trained: TrainedTableScore, data: ReturnType<typeof examples>) =>
  scoreEvidence(trained, data, {
    ...{ seed: 1, horizon: 0, words: 'rows' },
    audited: [{ attribute: 'sex', groups: data.groups }],
  });
const verdicts = (gates: readonly { name: string; passed: boolean }[]) =>
  Object.fromEntries(gates.map(({ name, passed }) => [name, passed]));

/** As it would lie in the repository. */
function opened(trained: TrainedTableScore, { version = 1, trainedAt = START } = {}): OpenedVersion {
  const manifest = {
    ...{ version, trainedAt: new Date(trainedAt).toISOString(), metrics: trained.metrics, dataRows: 1 },
    ...{ dataSha256: 'a'.repeat(64), spec: { task: 'lead', table: trained.spec.table } },
    onnx: {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, trained.spec.table.features.length] }],
    },
  } as unknown as OpenedVersion['manifest'];
  return { manifest, onnx: trained.onnx.bytes };
}

describe('the gates of a score', () => {
  it('pass a model that knows something, with its figures', async () => {
    const data = examples({});
    const { gates, importance, fairness, probe } = evidence(await train(data), data);
    expect(verdicts(gates)).toEqual({
      'better-than-baseline': true,
      calibration: true,
      'no-leak': true,
      fairness: true,
    });
    expect(Object.values(importance).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(importance['signal']).toBeGreaterThan(0.9);
    expect(fairness.map(({ group, n }) => [group, n > 100])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    expect(probe.rows).toBe(1_000);
  });

  it('stop a model that knows nothing', async () => {
    const data = examples({ strength: 0 });
    const [gate] = evidence(await train(data), data).gates;
    expect(gate).toMatchObject({ name: 'better-than-baseline', passed: false });
    expect(gate?.observed).toMatch(/^AUC 0\.\d+ \(95 % interval /);
  });

  it('stop a model that was told to keep a column that gives the answer away', async () => {
    const data = examples({ leak: true });
    const honest = evidence(await train(data), data).gates.find(({ name }) => name === 'no-leak');
    expect(honest).toMatchObject({ passed: true, observed: expect.stringContaining('left out: answer') });
    const told = evidence(await train(data, ['answer']), data).gates.find(({ name }) => name === 'no-leak');
    expect(told).toMatchObject({
      passed: false,
      observed: expect.stringContaining('strongest column answer'),
    });
  });
});

describe('the gate of fairness', () => {
  const rows = (of: Record<string, [n: number, selected: number]>) => {
    const all = Object.entries(of).flatMap(([group, [n, selected]]) =>
      Array.from({ length: n }, (_, i) => ({ group, probability: i < selected ? 0.9 : 0.1 })),
    );
    const groups = auditGroups(
      {
        attribute: 'sex',
        groups: all.map(({ group }) => group),
        labels: all.map(({ probability }) => Number(probability > 0.5)),
        probabilities: all.map(({ probability }) => probability),
      },
      0.5,
    );
    return { attribute: 'sex', groups };
  };

  it('names the gap and the groups', () => {
    const gate = fairnessGate([rows({ m: [400, 200], w: [400, 40] })]);
    expect(gate.passed).toBe(false);
    expect(gate.observed).toContain(
      'selection rate by "sex": w 0.100, m 0.500, a ratio of 0.20, below four fifths',
    );
  });

  it('refuses groups that are too small, and says so', () => {
    const gate = fairnessGate([rows({ m: [400, 200], w: [99, 50] })]);
    expect(gate).toMatchObject({ passed: false, observed: expect.stringContaining('m 400, w 99') });
    const three = rows({ m: [400, 200], w: [400, 200], x: [20, 20] });
    expect(fairnessGate([three])).toMatchObject({
      passed: true,
      observed: expect.stringContaining('too small to be compared by "sex": x 20'),
    });
    expect(fairnessSlices([three]).find(({ group }) => group === 'x')).toMatchObject({
      n: 20,
      disparateImpact: null,
      tprGap: null,
    });
  });

  it('stops at most one in a hundred models that treat everybody alike', () => {
    const random = seededRandom(21);
    let stopped = 0;
    for (let run = 0; run < 1_000; run++) {
      const probabilities = Array.from({ length: 500 }, () => random() ** 2);
      const rowsOfRun = {
        attribute: 'sex',
        groups: probabilities.map(() => (random() < 0.4 ? 'w' : 'm')),
        labels: probabilities.map((p) => Number(random() < p)),
        probabilities,
      };
      const audit = { attribute: 'sex', groups: auditGroups(rowsOfRun, 0.5) };
      if (!fairnessGate([audit]).passed) stopped += 1;
    }
    expect(stopped).toBeLessThanOrEqual(15);
  });

  it('says why it does not apply', () => {
    expect(fairnessGate([])).toEqual(
      notApplicable('fairness', fairnessGate([]).required, 'the policy of the task names no protected trait'),
    );
  });
});

describe('the gates of a file', () => {
  it('compare it with the fitted model, and tell another one', async () => {
    const [data, others] = [examples({}), examples({ strength: -2, seed: 9 })];
    const [trained, other] = [await train(data), await train(others)];
    expect(await parityGate(opened(trained), trained.probe)).toMatchObject({ passed: true });
    const gate = await parityGate(opened(other), trained.probe);
    expect(gate).toMatchObject({ passed: false, observed: expect.stringContaining('on 1000 rows') });
  });

  it('time single rows beside the live version', async () => {
    const trained = await train(examples({}));
    const gate = await latencyGate(opened(trained, { version: 2 }), opened(trained));
    expect(gate.passed).toBe(true);
    expect(gate.observed).toMatch(/^0\.\d+ ms, live version 1 0\.\d+ ms$/);
  });

  it('miss what a card leaves out, by name', async () => {
    const trained = await train(examples({}));
    const { manifest } = opened(trained);
    const card = { purpose: 'finds those who buy', ...trained.card };
    expect(cardGate(manifest, card)).toMatchObject({ passed: true, observed: 'complete' });
    const gaps = { ...card, purpose: ' ', limitations: [''], metrics: {} };
    expect(cardGate({ ...manifest, dataRows: 0 }, gaps)).toMatchObject({
      passed: false,
      observed: 'missing: purpose, limitations, metrics, dataRows',
    });
  });
});

describe('the gate of the live version', () => {
  const gateOf = async (worse: boolean, liveSawAll: boolean) => {
    const data = examples({});
    const good = await train(data);
    // A model of the opposite: what a mistaken label makes of the same rows.
    const bad = await train({ ...data, labels: data.labels.map((label) => 1 - label) });
    const [candidate, live] = worse ? [bad, good] : [good, bad];
    const trainedAt = liveSawAll ? START + 300 * DAY_MS : START;
    const { heldOut, headline } = evidence(candidate, data);
    // The candidate's losses are those on the true outcomes.
    const held = worse && heldOut ? { ...heldOut, losses: heldOut.losses.map((loss) => loss + 1) } : heldOut;
    return liveGate(
      { manifest: opened(candidate, { version: 2 }).manifest, evidence: { heldOut: held, headline } },
      opened(live, { trainedAt }),
      1,
    );
  };

  it('compares both on rows that neither has learnt from', async () => {
    expect(await gateOf(false, false)).toMatchObject({
      passed: true,
      observed: expect.stringMatching(/on 400 rows$/),
    });
    expect(await gateOf(true, false)).toMatchObject({
      passed: false,
      observed: expect.stringMatching(/^log-loss higher by/),
    });
  });

  it('compares what both were published with where the live version has seen the rows', async () => {
    const gate = await gateOf(false, true);
    expect(gate).toMatchObject({ passed: true, required: expect.stringContaining('as published') });
    const data = examples({});
    const [good, poor] = [await train(data), await train(examples({ strength: 0, seed: 5 }))];
    const { headline } = evidence(good, data);
    const manifest = opened(poor, { version: 2 }).manifest;
    expect(
      await liveGate({ manifest, evidence: { heldOut: null, headline } }, opened(good), 1),
    ).toMatchObject({
      passed: false,
    });
  });

  it('does not apply to the first version', async () => {
    const data = examples({});
    const trained = await train(data);
    const gate = await liveGate(
      { manifest: opened(trained).manifest, evidence: evidence(trained, data) },
      null,
      1,
    );
    expect(gate).toMatchObject({ passed: true, observed: 'not applicable: no version is live' });
  });
});
