import { describe, expect, it } from 'vitest';
import { trainFurtherModels } from './demo-company.js';

/** A graph whose trainer succeeds at everything but what it is told to fail. */
function aGraph({ live = [], failing = [] }: { live?: string[]; failing?: string[] }) {
  const trained: string[] = [];
  const ask = (query: string, variables: Record<string, unknown> = {}): Promise<unknown> => {
    if (query.startsWith('mutation')) {
      const { task } = variables['input'] as { task: string };
      trained.push(task);
      return Promise.resolve({ trainModel: { id: task } });
    }
    const task = String(variables['id']);
    if (query.includes('model(id:'))
      return Promise.resolve({ model: live.includes(task) ? { live: { id: `demo.${task}@1` } } : null });
    const job = failing.includes(task)
      ? { state: 'FAILED', failure: { message: 'too few examples' } }
      : { state: 'SUCCEEDED', modelVersion: { id: `demo.${task}@1` } };
    return Promise.resolve({ trainingJob: { id: task, progress: 1, ...job } });
  };
  return {
    trained,
    client: { ask: ask as <T>(query: string, variables?: Record<string, unknown>) => Promise<T> },
  };
}

describe('trainFurtherModels', () => {
  const run = async (options: Parameters<typeof aGraph>[0], isStopping = false) => {
    const { client, trained } = aGraph(options);
    const said: string[] = [];
    await trainFurtherModels(
      client,
      (text) => said.push(text.trim()),
      () => isStopping,
    );
    return { trained, said };
  };

  it('trains what is missing, with a line for each and one at the end', async () => {
    const { trained, said } = await run({ live: ['session'] });
    expect(trained).toContain('churn');
    expect(trained).not.toContain('session');
    expect(said).toHaveLength(trained.length + 1);
    expect(said[0]).toMatch(/^[\d.]+ s {2}train churn: demo\.churn@1$/);
    expect(said.at(-1)).toBe(`The rest is learnt: ${trained.length} of ${trained.length} models.`);
  });

  it('says what could not be trained and why, and goes on with the others', async () => {
    const { trained, said } = await run({ failing: ['churn'] });
    expect(said.find((line) => line.startsWith('churn is not trained'))).toContain('too few examples');
    expect(trained.indexOf('purchase')).toBeGreaterThan(trained.indexOf('churn'));
    expect(said.at(-1)).toBe(`The rest is learnt: ${trained.length - 1} of ${trained.length} models.`);
  });

  it('trains and says nothing where everything is there', async () => {
    const { trained } = await run({});
    expect(await run({ live: trained })).toEqual({ trained: [], said: [] });
  });

  it('is silent about failures while everything is being stopped', async () => {
    const { trained, said } = await run({ failing: ['session'] }, true);
    expect(trained).toEqual(['session']);
    expect(said).toEqual([]);
  });
});
