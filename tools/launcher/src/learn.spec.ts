import { describe, expect, it } from 'vitest';
import { learnLater } from './learn.js';
import { FURTHER_LESSONS, type GraphQuestions } from './lessons.js';

/** A graph that learns everything but what it is told to fail. */
function aGraph({ known = [], failing = [] }: { known?: string[]; failing?: string[] }) {
  const learnt: string[] = [];
  const outcomeOf = (name: string) =>
    failing.includes(name)
      ? { state: 'FAILED', failure: { message: 'too few examples' } }
      : { state: 'SUCCEEDED', modelVersion: { id: `demo.${name}@1` } };
  const ask = (query: string, variables: Record<string, unknown> = {}): Promise<unknown> => {
    if (query.includes('startTraining')) {
      const { task } = variables['input'] as { task: string };
      learnt.push(task);
      return Promise.resolve({ startTraining: { job: { id: task }, userErrors: [] } });
    }
    if (query.includes('discoverSegments')) {
      learnt.push('segments');
      return Promise.resolve({ discoverSegments: { userErrors: [] } });
    }
    if (query.includes('segmentDiscovery')) {
      const isThere = [...known, ...learnt].includes('segments');
      return Promise.resolve({ segmentDiscovery: isThere ? outcomeOf('segments') : null });
    }
    const task = String(variables['id']);
    if (query.includes('model(id:'))
      return Promise.resolve({ model: known.includes(task) ? { live: { id: `demo.${task}@1` } } : null });
    return Promise.resolve({ trainingJob: { id: task, progress: 1, ...outcomeOf(task) } });
  };
  return { learnt, client: { ask: ask as GraphQuestions['ask'] } };
}

describe('learnLater', () => {
  const run = async (options: Parameters<typeof aGraph>[0], isStopping = false) => {
    const { client, learnt } = aGraph(options);
    const said: string[] = [];
    await learnLater(FURTHER_LESSONS, client, {
      say: (text) => said.push(text.trim()),
      isStopping: () => isStopping,
    });
    return { learnt, said };
  };

  it('learns what is missing, with a line for each lesson and one at the end', async () => {
    const { learnt, said } = await run({ known: ['churn'] });
    expect(learnt).toContain('purchase');
    expect(learnt).toContain('segments');
    expect(learnt).not.toContain('churn');
    expect(said[0]).toMatch(/^[\d.]+ s {2}train purchase: demo\.purchase@1$/);
    expect(said).toHaveLength(learnt.length + 1);
    expect(said.at(-1)).toBe(`The rest is learnt: ${learnt.length} of ${learnt.length}.`);
  });

  it.each([
    ['churn', 'could not train churn: too few examples'],
    ['segments', 'could not discover segments: too few examples'],
  ])('says that %s could not be learnt and why, and goes on with the others', async (failing, line) => {
    const { learnt, said } = await run({ failing: [failing] });
    expect(said).toContain(line);
    expect(learnt).toHaveLength(FURTHER_LESSONS.length);
    expect(said.at(-1)).toBe(`The rest is learnt: ${learnt.length - 1} of ${learnt.length}.`);
  });

  it('learns and says nothing where everything is there', async () => {
    const { learnt } = await run({});
    expect(await run({ known: learnt })).toEqual({ learnt: [], said: [] });
  });

  it('is silent about failures while everything is being stopped', async () => {
    const { learnt, said } = await run({ failing: ['churn'] }, true);
    expect(learnt).toEqual(['churn']);
    expect(said).toEqual([]);
  });
});
