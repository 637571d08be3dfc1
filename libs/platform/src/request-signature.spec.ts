import type { Identity } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import {
  IDENTITY_HEADER,
  SIGNATURE_HEADER,
  signRequest,
  TIME_HEADER,
  verifyRequest,
} from './request-signature.js';

const secret = 'a secret of at least thirty-two characters';
const nowMs = Date.UTC(2026, 2, 1);
const identity: Identity = { subject: 'someone', tenantId: 'demo', roles: ['web'], scopes: ['price:read'] };
const request = { method: 'POST', path: '/graphql', body: '{"query":"{ a }"}' };
const checking = { secret, nowMs, maxAgeMs: 30_000 };

describe('a signed request', () => {
  const headers = signRequest(request, identity, { secret, nowMs });

  it('tells who asks', () => {
    expect(verifyRequest(request, headers, checking)).toEqual(identity);
  });

  it('holds for as long as it may and no longer, in both directions', () => {
    for (const skew of [30_000, -30_000])
      expect(verifyRequest(request, headers, { ...checking, nowMs: nowMs + skew })).toEqual(identity);
    for (const skew of [30_001, -30_001])
      expect(() => verifyRequest(request, headers, { ...checking, nowMs: nowMs + skew })).toThrow(/signed/);
  });

  const forged = Buffer.from(JSON.stringify({ ...identity, tenantId: 'other' })).toString('base64url');
  it.each([
    ['another body', { ...request, body: '{"query":"{ b }"}' }, headers],
    ['another path', { ...request, path: '/other' }, headers],
    ['another method', { ...request, method: 'GET' }, headers],
    ['another tenant', request, { ...headers, [IDENTITY_HEADER]: forged }],
    ['another time', request, { ...headers, [TIME_HEADER]: String(nowMs + 1) }],
    ['no time', request, { ...headers, [TIME_HEADER]: 'now' }],
    ['a cut signature', request, { ...headers, [SIGNATURE_HEADER]: headers[SIGNATURE_HEADER]?.slice(0, -1) }],
    ['no signature', request, {}],
    ['another secret', request, signRequest(request, identity, { secret: `${secret}!`, nowMs })],
  ])('is refused with %s', (_what, changed, changedHeaders) => {
    expect(() => verifyRequest(changed, changedHeaders, checking)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
  });
});
