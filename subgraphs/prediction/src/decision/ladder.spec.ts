import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { AnswerCache } from './answer-cache.js';
import { type Climb, Ladder } from './ladder.js';

interface Answer {
  value: number;
  attribution: string | null;
}

const SERVED = {
  ...{ model: 'demo.lead', version: '7', trainedAt: '2026-03-01T00:00:00Z' },
  ...{ device: 'CPU', queueMs: 0, computeMs: 1, batchSize: 1 },
};
const climb = (askModel: Climb<string, Answer>['askModel']): Climb<string, Answer> => ({
  ...{ kind: 'lead', tenantId: 'demo', questions: ['a'], keyOf: (question) => question, askModel },
  keptOf: (answer) => ({ ...answer, attribution: null }),
  heuristic: () => ({ modelId: 'heuristic.none@1', answer: { value: 0, attribution: null } }),
});

describe('Ladder', () => {
  it('gives the whole answer now, and later what was kept of it', async () => {
    const ladder = new Ladder(new AnswerCache(10));
    const answers = [{ value: 1, attribution: 'because' }];
    const [first] = await ladder.climb(climb(async () => ({ servedBy: SERVED, answers })));
    expect(first).toMatchObject({
      answer: { value: 1, attribution: 'because' },
      servedBy: { rung: 'MODEL' },
    });
    const [later] = await ladder.climb(
      climb(() => Promise.reject(new DomainError('INFERENCE_UNAVAILABLE', 'nobody listens'))),
    );
    expect(later).toMatchObject({
      answer: { value: 1, attribution: null },
      servedBy: { rung: 'CACHE', fallbackReason: 'INFERENCE_UNAVAILABLE' },
    });
  });
});
