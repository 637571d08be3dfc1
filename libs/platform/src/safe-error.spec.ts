import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import { safeError } from './safe-error.js';

const PERSONAL = [
  'anna.muster@example.com',
  '+49 170 1234567',
  'Anna Muster',
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.abc',
];

describe('safeError', () => {
  it.each([
    'Variable "$email" got invalid value "anna.muster@example.com"; Expected type "Int".',
    "E11000 duplicate key error collection: test.customers index: ref dup key: { name: 'Anna Muster' }",
    'no customer anna.muster@example.com',
    'cannot call +49 170 1234567 now',
    'Cannot read properties of `Anna Muster`',
    'bad token eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.abc',
    'Unexpected token in JSON: {"name":"Anna Muster","email":"anna.muster@example.com',
  ])('leaves out what a message quotes: %s', (message) => {
    const cause = new Error(message);
    const text = JSON.stringify(
      safeError(new GraphQLError(message, { originalError: cause, path: ['a', 0] })),
    );
    for (const value of PERSONAL) expect(text).not.toContain(value);
  });

  it('keeps what a failure is and where it was', () => {
    const error = Object.assign(new TypeError('connect ECONNREFUSED 127.0.0.1:4101'), {
      code: 'ECONNREFUSED',
    });
    expect(safeError(error)).toMatchObject({
      type: 'TypeError',
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED 127.0.0.1:4101',
      stack: expect.stringContaining('safe-error.spec') as string,
    });
  });

  it('takes time in proportion to a message, also to a hostile one', () => {
    const startedMs = performance.now();
    safeError(new Error(`'"\`@+1`.repeat(200_000)));
    expect(performance.now() - startedMs).toBeLessThan(200);
  });
});
