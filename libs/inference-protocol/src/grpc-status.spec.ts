import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { DomainError, ERROR_KINDS, type ErrorCode } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import { STATUS_OF_KIND, toDomainError, toStatusAnswer } from './grpc-status.js';

const received = (code: status, details = 'x', metadata = new Metadata()): ServiceError =>
  Object.assign(new Error(details), { code, details, metadata });

describe('a DomainError on the wire', () => {
  it('keeps its code, message and path, for every code', () => {
    for (const code of Object.keys(ERROR_KINDS) as ErrorCode[]) {
      const sent = toStatusAnswer(new DomainError(code, 'why', { path: 'rows[0].été' }));
      const back = toDomainError(received(sent.code, sent.details, sent.metadata));
      expect(back).toMatchObject({ code, message: 'why', path: 'rows[0].été' });
      expect(sent.code).toBe(STATUS_OF_KIND[ERROR_KINDS[code]]);
    }
  });

  it('hides what an unintended error says', () => {
    expect(toStatusAnswer(new Error('secret'))).toMatchObject({
      code: status.INTERNAL,
      details: 'internal error',
    });
  });
});

describe('a failure that carries no code', () => {
  it.each([
    [status.UNAVAILABLE, 'INFERENCE_UNAVAILABLE'],
    [status.DEADLINE_EXCEEDED, 'INFERENCE_DEADLINE_EXCEEDED'],
    [status.RESOURCE_EXHAUSTED, 'QUEUE_FULL'],
    [status.UNKNOWN, 'INFERENCE_FAILED'],
    [status.INTERNAL, 'INFERENCE_FAILED'],
  ])('reads status %i as %s', (code, expected) => {
    expect(toDomainError(received(code)).code).toBe(expected);
  });

  it('tells a message that is too large from a queue that is full', () => {
    expect(
      toDomainError(received(status.RESOURCE_EXHAUSTED, 'Received message larger than max (9 vs 4)')).code,
    ).toBe('BATCH_TOO_LARGE');
  });

  it('ignores a code that is none of ours', () => {
    const metadata = new Metadata();
    metadata.set('sextant-error-code', 'toString');
    expect(toDomainError(received(status.NOT_FOUND, 'x', metadata)).code).toBe('MODEL_NOT_FOUND');
  });
});
