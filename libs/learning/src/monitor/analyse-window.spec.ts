import type { MonitoringReference } from '@sextant/artefacts';
import { beforeAll, describe, expect, it } from 'vitest';
import { planOfReference } from '../sketch/reference-plan.js';
import { TableSketch } from '../sketch/table-sketch.js';
import { analyseWindow } from './analyse-window.js';
import { type Change, referenceOf, simulate, windowOf } from './simulated-company.fixture.js';
import type { WindowAnalysis, WindowInput } from './window-analysis.js';

let references: MonitoringReference[] = [];
beforeAll(() => {
  references = [referenceOf(1, 120), referenceOf(2, 30), referenceOf(3, 300)];
});

const reference = (): MonitoringReference => {
  const [first] = references;
  if (first === undefined) throw new Error('references are made before the tests');
  return first;
};

interface Shown {
  days: number;
  perDay: number;
  change?: Change;
}

/** A window that begins up to four weeks after training. */
function analysed(seed: number, shown: Shown, against = reference()): WindowAnalysis {
  return analyseWindow(against, windowOf(against, seed * 7919, { from: 60 + (seed % 28), ...shown }));
}

/** In how many of 20 windows of about 1,000 decisions on 450 customers each finding comes. */
function power(change: Change): Map<string, number> {
  const hits = new Map<string, number>();
  for (let seed = 1; seed <= 20; seed++) {
    const { findings } = analysed(seed, { days: 7, perDay: 150, change });
    for (const name of new Set(findings.map((each) => `${each.kind} ${each.name}`)))
      hits.set(name, (hits.get(name) ?? 0) + 1);
  }
  return hits;
}

/** A window with something changed in how it is handed over. */
function handed(change: (input: WindowInput) => Partial<WindowInput>, shown: Partial<Shown> = {}) {
  const input = windowOf(reference(), 99, { from: 61, days: 7, perDay: 150, ...shown });
  return analyseWindow(reference(), { ...input, ...change(input) });
}

describe('analyseWindow without any change', () => {
  it('raises an alarm in less than one of a hundred windows, of any size and whatever the training', () => {
    const sizes: Shown[] = [
      { days: 1, perDay: 40 },
      { days: 1, perDay: 100 },
      { days: 1, perDay: 500 },
      { days: 7, perDay: 20 },
      { days: 7, perDay: 150 },
      { days: 7, perDay: 600 },
    ];
    const alarms: string[] = [];
    for (let seed = 1; seed <= 600; seed++) {
      const shown = sizes[seed % 6] ?? { days: 1, perDay: 100 };
      const { findings } = analysed(seed, shown, references[(seed % 5) % 3]);
      if (findings.length > 0) alarms.push(...findings.map(({ sentence }) => sentence));
    }
    expect(alarms.length, alarms.join('\n')).toBeLessThanOrEqual(3);
  }, 30_000);

  it('says stable, measures every feature and the AUC', () => {
    const { verdict, features, performance, rowsSeen } = analysed(4, { days: 7, perDay: 150 });
    expect(verdict).toMatch(/^stable: /);
    expect(new Set(features.map(({ feature }) => feature)).size).toBe(8);
    expect(features.every(({ drifted }) => !drifted)).toBe(true);
    expect(performance?.low).toBeLessThan(performance?.value ?? 0);
    expect(rowsSeen).toBe(1065);
  });
});

describe('analyseWindow with one change', () => {
  it.each([
    ['a feature that moved by half a standard deviation', { spend: 0.8 }, 'FEATURE_SHIFT spend', 19],
    ['customers who became more active', { activity: 0.5 }, 'SCORE_SHIFT probability', 19],
    ['a feature that is missing in a fifth more of the rows', { missing: 0.2 }, 'FEATURE_MISSING visits', 19],
    ['a feature that stopped changing', { isStale: true }, 'FEATURE_STALE recency', 19],
    ['an outcome that turned round', { meaning: -1 }, 'LABEL_SHIFT outcome given score', 20],
    [
      'an outcome that a score hardly tells any more',
      { meaning: 0.3 },
      'LABEL_SHIFT outcome given score',
      20,
    ],
    ['an outcome that a score tells worse', { meaning: 0.3 }, 'PERFORMANCE auc', 20],
    ['an outcome that became likelier at every score', { odds: 1 }, 'LABEL_SHIFT outcome given score', 19],
    ['a group that is selected less', { gap: 1 }, 'GROUP_GAP gender: b / a', 18],
    ['a feature that tells the group', { proxy: 0.9 }, 'PROXY region', 20],
  ] satisfies [string, Change, string, number][])('finds %s by its name', (_, change, name, least) => {
    const found = power(change);
    expect(found.get(name) ?? 0, JSON.stringify([...found])).toBeGreaterThanOrEqual(least);
  });

  it('calls wrong answers broken and other questions drifting', () => {
    expect(analysed(1, { days: 7, perDay: 150, change: { meaning: -1 } }).verdict).toMatch(
      /^broken: .*LABEL/,
    );
    expect(analysed(1, { days: 7, perDay: 150, change: { spend: 1 } }).verdict).toMatch(/^drifting: FEATURE/);
  });

  it('says that a higher score now goes with a lower chance', () => {
    const { findings } = analysed(1, { days: 7, perDay: 150, change: { meaning: -1 } });
    expect(findings.find(({ kind }) => kind === 'LABEL_SHIFT')?.sentence).toContain(
      'a higher score now goes with a lower chance',
    );
  });
});

describe('analyseWindow on how a window comes', () => {
  it('takes repeated rows of few customers for what they are worth', () => {
    const again = (input: WindowInput): Partial<WindowInput> => {
      const sketch = new TableSketch(planOfReference(reference()));
      for (let i = 0; i < 50; i++) sketch.merge(input.sketch);
      return { sketch };
    };
    const shown = { days: 1, perDay: 60 };
    expect(handed(again, shown).findings).toEqual([]);
    expect(handed((input) => ({ ...again(input), subjects: 3_000 }), shown).findings.length).toBeGreaterThan(
      0,
    );
  });

  it('gives no verdict on too few rows', () => {
    const { verdict, findings, notes } = handed(() => ({}), { days: 1, perDay: 30 });
    expect(verdict).toMatch(/^too little data: 27 rows of \d+ customers, at least 50/);
    expect(findings).toEqual([]);
    expect(notes).toContainEqual(expect.stringContaining('performance was not judged'));
  });

  it('refuses to compare small groups and says so, by size', () => {
    const { notes } = handed((input) => {
      const groups = Array.from({ length: 1065 }, (_, i) => (i % 50 === 0 ? 'x' : i % 2 ? 'a' : 'b'));
      const { decisions } = input;
      return decisions ? { decisions: { ...decisions, traits: new Map([['gender', groups]]) } } : {};
    });
    expect(notes).toEqual([
      expect.stringMatching(/^"gender": not every group was compared.*"x" has \d+ rows$/),
    ]);
  });

  it('accepts a gap that was accepted at promotion', () => {
    const gapsOf = (accepted: number): string[] =>
      handed(() => ({ acceptedGaps: new Map([['gender:selection rate', accepted]]) }), {
        perDay: 600,
        change: { gap: 1 },
      })
        .findings.filter(({ kind, sentence }) => kind === 'GROUP_GAP' && sentence.startsWith('selection'))
        .map(({ sentence }) => sentence);
    expect(gapsOf(0)).toHaveLength(1);
    expect(gapsOf(0.3)).toEqual([]);
  });

  it('raises nothing about a feature that the model does not use, however far it moved', () => {
    const calm = reference();
    const unused = {
      ...calm,
      features: calm.features.map((each) => (each.name === 'spend' ? { ...each, importance: 0 } : each)),
    };
    const shown = { from: 61, days: 7, perDay: 150, change: { spend: 3 } };
    const { findings, features } = analyseWindow(unused, windowOf(unused, 3, shown));
    expect(findings.filter(({ kind }) => kind === 'FEATURE_SHIFT')).toEqual([]);
    expect(
      features.find(({ feature, test }) => feature === 'spend' && test === 'psi')?.statistic,
    ).toBeGreaterThan(1);
  });

  it('names a feature that has one value for everybody, and one that is missing everywhere', () => {
    const sketch = new TableSketch(planOfReference(reference()));
    const { table } = simulate(5, { from: 61, days: 1, perDay: 300 });
    sketch.addTable({
      rows: table.rows,
      columns: table.columns
        .filter(({ name }) => name !== 'recency')
        .map((column) =>
          column.name === 'spend'
            ? { kind: 'numeric' as const, name: 'spend', values: new Float64Array(table.rows).fill(2) }
            : column,
        ),
    });
    const { findings } = analyseWindow(reference(), { sketch });
    expect(findings.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'FEATURE_MISSING recency',
      'FEATURE_STALE spend',
    ]);
  });

  it('takes what changed in earlier windows where training had no pairs', () => {
    const calm = reference();
    const blind = { ...calm, features: calm.features.map((each) => ({ ...each, changes: [] })) };
    const before = windowOf(blind, 1, { from: 60, days: 14, perDay: 150 }).changes ?? [];
    const shown = { from: 74, days: 7, perDay: 150, change: { isStale: true } };
    const stale = (input: WindowInput): string[] =>
      analyseWindow(blind, input)
        .findings.filter(({ kind }) => kind === 'FEATURE_STALE')
        .map(({ name }) => name);
    expect(stale(windowOf(blind, 2, shown))).toEqual([]);
    expect(stale({ ...windowOf(blind, 2, shown), usualChanges: before })).toEqual(['recency']);
  });

  it('refuses decisions whose columns differ in length', () => {
    const short = (input: WindowInput): Partial<WindowInput> =>
      input.decisions ? { decisions: { ...input.decisions, labels: [1] } } : {};
    expect(() => handed(short)).toThrow(RangeError);
  });
});
