import type { Identity } from '@sextant/domain';
import { describe, expect, it } from 'vitest';
import {
  IDENTITY_HEADER,
  NONCE_HEADER,
  SIGNATURE_HEADER,
  signRequest,
  TIME_HEADER,
  verifyRequest,
} from './request-signature.js';
import { ReplayGuard } from './replay-guard.js';

const secret = 'a secret of at least thirty-two characters';
const nowMs = Date.UTC(2026, 2, 1);
const identity: Identity = { subject: 'someone', tenantId: 'demo', roles: ['web'], scopes: ['price:read'] };
const request = { receiver: 'campaign', method: 'POST', path: '/graphql', body: '{"query":"{ a }"}' };
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
    ['another receiver', { ...request, receiver: 'customer' }, headers],
    ['another path', { ...request, path: '/other' }, headers],
    ['another method', { ...request, method: 'GET' }, headers],
    ['another tenant', request, { ...headers, [IDENTITY_HEADER]: forged }],
    ['another time', request, { ...headers, [TIME_HEADER]: String(nowMs + 1) }],
    ['another nonce', request, { ...headers, [NONCE_HEADER]: crypto.randomUUID() }],
    ['no nonce', request, { ...headers, [NONCE_HEADER]: undefined }],
    ['a long nonce', request, { ...headers, [NONCE_HEADER]: 'x'.repeat(65) }],
    ['no time', request, { ...headers, [TIME_HEADER]: 'now' }],
    ['a cut signature', request, { ...headers, [SIGNATURE_HEADER]: headers[SIGNATURE_HEADER]?.slice(0, -1) }],
    ['no signature', request, {}],
    ['another secret', request, signRequest(request, identity, { secret: `${secret}!`, nowMs })],
  ])('is refused with %s', (_what, changed, changedHeaders) => {
    expect(() => verifyRequest(changed, changedHeaders, checking)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
  });

  it('is taken once, however fresh it is, and again when it is signed again', () => {
    const once = { ...checking, replays: new ReplayGuard(checking.maxAgeMs) };
    expect(verifyRequest(request, headers, once)).toEqual(identity);
    expect(() => verifyRequest(request, headers, once)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
    expect(verifyRequest(request, signRequest(request, identity, { secret, nowMs }), once)).toEqual(identity);
  });

  it('holds under either of two secrets while they are rotated, and is made with the first', () => {
    const next = 'the next secret of thirty-two characters';
    const rotating = { ...checking, secret: `${next},${secret}` };
    expect(verifyRequest(request, headers, rotating)).toEqual(identity);
    const renewed = signRequest(request, identity, { secret: rotating.secret, nowMs });
    expect(verifyRequest(request, renewed, { ...checking, secret: next })).toEqual(identity);
    expect(() => verifyRequest(request, renewed, checking)).toThrow(/signed/);
  });

  it('carries the client of the caller', () => {
    const machine = { ...identity, clientId: 'key:abc' };
    expect(verifyRequest(request, signRequest(request, machine, { secret, nowMs }), checking)).toEqual(
      machine,
    );
  });
});
