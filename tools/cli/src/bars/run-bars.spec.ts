import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BarRun } from './bar.js';
import { barsCommand } from './bars.command.js';
import { barTable, runBars } from './run-bars.js';

const measured = (value: number) => ({ value, low: value - 0.01, high: value + 0.01, level: 0.95 });

const report = (metrics: EvaluationReport['metrics'], leaks: string[] = []): EvaluationReport => ({
  task: 'table',
  rows: 10,
  test: 2,
  chosen: 'a',
  because: 'b',
  metrics,
  baselines: {},
  leaks,
  warnings: [],
  details: {},
  plots: [],
});

const run = (dataset: string, evaluate: BarRun['evaluate'], bars: BarRun['bars']): BarRun => ({
  dataset,
  task: `${dataset} task`,
  evaluate,
  bars,
});

const atLeast = (metric: string, bar: number) => ({ metric, sense: 'at-least', bar }) as const;
const atMost = (metric: string, bar: number) => ({ metric, sense: 'at-most', bar }) as const;

let data = '';
const said: string[] = [];
const say = (line: string): void => void said.push(line);

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'bars-'));
  for (const set of ['one', 'two', 'three']) await mkdir(join(data, set));
});

describe('runBars', () => {
  it('passes a gain at its bar and a loss at its bar, and misses just beyond', async () => {
    const metrics = { auc: measured(0.8), logLoss: measured(0.3) };
    const bars = [
      atLeast('auc', 0.8),
      atLeast('auc', 0.8001),
      atMost('logLoss', 0.3),
      atMost('logLoss', 0.2999),
    ];
    const results = await runBars([run('one', async () => report(metrics), bars)], { data, say });
    expect(results.map(({ passed }) => passed)).toEqual([true, false, true, false]);
    expect(results[0]).toEqual({
      ...{ dataset: 'one', task: 'one task', metric: 'auc', measured: 0.8, low: 0.79, high: 0.81 },
      ...{ sense: 'at-least', bar: 0.8, passed: true },
    });
  });

  it('gives each evaluation its own folder and reads figures that are no metric', async () => {
    const folders: string[] = [];
    const named = {
      ...atLeast('leaks named', 1),
      read: (r: EvaluationReport) => ({ value: r.leaks.length }),
    };
    const evaluate = async (folder: string): Promise<EvaluationReport> => {
      folders.push(folder);
      return report({}, ['tags']);
    };
    const [result] = await runBars([run('two', evaluate, [named])], { data, say });
    expect(result).toMatchObject({ measured: 1, low: 1, high: 1, passed: true });
    expect(folders).toEqual([join(data, 'two')]);
  });

  it('misses the bars of a run that throws, of a metric that is not there and of NaN, and goes on', async () => {
    const failing = run('one', () => Promise.reject(new Error('no column y')), [
      atLeast('auc', 0.5),
      atMost('mae', 1),
    ]);
    const lacking = run('two', async () => report({}), [atLeast('auc', 0.5)]);
    const broken = run('three', async () => report({ mae: measured(Number.NaN) }), [atMost('mae', 1)]);
    const fine = run('three', async () => report({ mae: measured(0.5) }), [atMost('mae', 1)]);
    const results = await runBars([failing, lacking, broken, fine], { data, say });
    expect(results.map(({ passed }) => passed)).toEqual([false, false, false, false, true]);
    expect(results.map(({ error }) => error)).toEqual([
      'no column y',
      'no column y',
      'the report has no metric auc',
      undefined,
      undefined,
    ]);
  });

  it('skips a data set that is absent, with a line', async () => {
    const absent = run('absent', () => Promise.reject(new Error('was run')), [atLeast('auc', 0.5)]);
    expect(await runBars([absent], { data, say })).toEqual([]);
    expect(said.at(-1)).toContain('absent task: skipped');
  });
});

describe('barsCommand', () => {
  const good = run('one', async () => report({ auc: measured(0.9) }), [atLeast('auc', 0.8)]);
  const bad = run('two', async () => report({ auc: measured(0.7) }), [atLeast('auc', 0.8)]);

  async function answer(...flags: string[]): Promise<{ text: string; failed: boolean }> {
    let [text, failed] = ['', false];
    const output = { print: (t: string) => (text += t), say, fail: () => (failed = true) };
    await barsCommand([good, bad], output)
      .exitOverride()
      .parseAsync(['--data', data, ...flags], { from: 'user' });
    return { text, failed };
  }

  it('fails when a bar is missed and not when all are reached', async () => {
    expect((await answer()).failed).toBe(true);
    expect((await answer('--only', 'one')).failed).toBe(false);
  });

  it('prints JSON of the bars or a table of them', async () => {
    const rows = JSON.parse((await answer('--json')).text) as { passed: boolean }[];
    expect(rows.map(({ passed }) => passed)).toEqual([true, false]);
    expect((await answer()).text).toMatch(/two +two task +auc +0\.7 +0\.69 to 0\.71 +≥ 0\.8 +NO/);
    expect((await answer()).text).toContain('1 of 2 bars reached');
  });

  it('names a folder that is not there and a selection that matches nothing', async () => {
    await expect(answer('--only', 'zebra')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const command = barsCommand([], { print: () => undefined, say, fail: () => undefined }).exitOverride();
    await expect(
      command.parseAsync(['--data', join(data, 'nowhere')], { from: 'user' }),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('prints a table also when nothing was there', () => {
    expect(barTable([])).toContain('0 of 0 bars reached');
  });
});
