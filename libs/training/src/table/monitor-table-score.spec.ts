import { monitoringReference } from '@sextant/artefacts';
import { seededRandom, takeRows, tableOfRecords } from '@sextant/learning';
import { analyseWindow } from '@sextant/learning/monitor';
import { planOfReference, TableSketch } from '@sextant/learning/sketch';
import { describe, expect, it } from 'vitest';
import { monitorFileOf } from '../monitor/index.js';
import { monitorTableScore } from './monitor-table-score.js';
import type { TableExamples } from './table-examples.js';
import { trainTableScore } from './train-table-score.js';

const DAY_MS = 86_400_000;
const WORDS = {
  examples: 'leads',
  positive: 'won',
  negative: 'lost',
  remedy: 'send more',
  groups: 'customers',
  limitation: '',
};

/** Leads of 60 days; `shift` is added to the column that decides. */
function someExamples(seed: number, rows: number, shift = 0): TableExamples {
  const random = seededRandom(seed);
  const records = Array.from({ length: rows }, () => ({
    strong: random() * 2 - 1 + shift,
    weak: random() * 2 - 1,
    plan: random() < 0.5 ? 'pro' : 'basic',
    seen: random() < 0.1 ? null : random(),
  }));
  return {
    table: tableOfRecords(records),
    groupIds: records.map((_, i) => `c${i % Math.floor(rows / 2)}`),
    at: Float64Array.from(records, (_, i) => Math.floor((60 * i) / rows) * DAY_MS),
    labels: Uint8Array.from(records, ({ strong, weak }) =>
      random() < 1 / (1 + Math.exp(1 - 3 * strong - 0.3 * weak)) ? 1 : 0,
    ),
  };
}

const examples = someExamples(1, 3000);
const trained = await trainTableScore(examples, { seed: 1, lightGbm: null, horizon: 0, words: WORDS });
const reference = monitorTableScore(trained, examples);

const analysed = (shown: TableExamples) => {
  const sketch = new TableSketch(planOfReference(reference));
  sketch.addTable(shown.table);
  const scores = trained.probabilities(shown.table);
  sketch.addScores('probability', Float32Array.from(scores));
  return analyseWindow(reference, {
    sketch,
    decisions: { scores, labels: shown.labels, table: shown.table, traits: new Map() },
  });
};

describe('monitorTableScore', () => {
  it('gives each column a share of the model, in proportion to what it moves', () => {
    const shares = new Map(reference.features.map(({ name, importance }) => [name, importance]));
    expect(shares.get('strong')).toBeGreaterThan(0.7);
    expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
    expect(reference.rows).toBe(3000);
  });

  it('holds answers on rows that the fit had not seen, with the rate of the outcome by bin', () => {
    const [score] = reference.scores;
    const rows = (score?.bins ?? []).reduce((sum, each) => sum + each, 0);
    const positives = (score?.positives ?? []).reduce((sum, each) => sum + each, 0);
    expect(rows).toBe(trained.split.validate.length);
    expect(positives).toBe(reference.performance?.positives);
    expect(reference.performance?.value).toEqual(trained.metrics['auc']);
    expect(reference.threshold).toBe(trained.spec.bands.hot);
  });

  it('is a file that equal training writes again to the byte, and that reads as what it was', async () => {
    const again = await trainTableScore(examples, { seed: 1, lightGbm: null, horizon: 0, words: WORDS });
    const [path, content] = monitorFileOf(reference);
    expect(path).toBe('monitor.json');
    expect(monitorFileOf(monitorTableScore(again, examples))[1]).toEqual(content);
    expect(monitoringReference.parse(JSON.parse(new TextDecoder().decode(content)))).toEqual(reference);
    expect(content.byteLength).toBeLessThan(20_000);
  });

  it('finds nothing in later rows of the same company, and the column that moved in others', () => {
    expect(analysed(someExamples(2, 800)).findings).toEqual([]);
    const moved = analysed(someExamples(3, 800, 0.5)).findings.map(({ kind, name }) => `${kind} ${name}`);
    expect(moved).toContain('FEATURE_SHIFT strong');
    expect(moved).toContain('SCORE_SHIFT probability');
    expect(moved).not.toContain('FEATURE_SHIFT weak');
  });

  it('is not fooled by a single row', () => {
    const one = { ...examples, table: takeRows(examples.table, [0]), labels: examples.labels.slice(0, 1) };
    expect(analysed(one).verdict).toMatch(/^too little data: 1 rows/);
  });
});
