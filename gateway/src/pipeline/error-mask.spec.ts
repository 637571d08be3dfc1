import { DomainError } from '@sextant/domain';
import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { errorMask } from './error-mask.js';

const mask = errorMask(() => undefined);

describe('an error that leaves the gateway', () => {
  it('keeps the hint when to try again, from a subgraph and from the gateway itself', () => {
    const extensions = { code: 'QUEUE_FULL', retryAfterMs: 40, stacktrace: ['secret'] };
    expect(mask(new GraphQLError('full', { extensions })).extensions).toEqual({
      code: 'QUEUE_FULL',
      retryAfterMs: 40,
    });
    expect(mask(new DomainError('QUEUE_FULL', 'full', { retryAfterMs: 7 })).extensions).toEqual({
      code: 'QUEUE_FULL',
      retryAfterMs: 7,
    });
  });

  it('keeps none that is no number', () => {
    const extensions = { code: 'QUEUE_FULL', retryAfterMs: 'soon' };
    expect(mask(new GraphQLError('full', { extensions })).extensions).toEqual({ code: 'QUEUE_FULL' });
  });
});
