import { DomainError } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { graphqlErrorFormatter } from './graphql-error.js';

const format = graphqlErrorFormatter(() => undefined);

describe('an error on the graph', () => {
  it('says when the same request can succeed, where that is known', () => {
    const formatted = { message: 'x', path: ['a'] };
    expect(format(formatted, new DomainError('QUEUE_FULL', 'full', { retryAfterMs: 40 }))).toEqual({
      message: 'full',
      path: ['a'],
      extensions: { code: 'QUEUE_FULL', retryAfterMs: 40 },
    });
    expect(format(formatted, new DomainError('QUEUE_FULL', 'full', { path: 'first' })).extensions).toEqual({
      code: 'QUEUE_FULL',
      argument: 'first',
    });
  });
});
