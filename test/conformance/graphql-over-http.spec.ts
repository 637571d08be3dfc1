import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGateway, startGatewayProcess } from './gateway-process.js';

/** How many audits the pinned version of the suite has; more or fewer is a change to look at. */
const AUDITS = 61;

let gateway: RunningGateway;
let authorization: string;
beforeAll(async () => {
  gateway = await startGatewayProcess();
  authorization = `Bearer ${await gateway.tokenOf('operator')}`;
});
afterAll(() => gateway?.stop());

/** The audits know of no tokens; the gateway serves nobody without one. Nothing else is added to their requests. */
const audits = serverAudits({
  url: () => gateway.url,
  fetchFn: (url: string, { headers, ...init }: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...(headers as Record<string, string>), authorization } }),
});

describe('the GraphQL over HTTP audit (graphql-http)', () => {
  it('is all there', () => {
    expect(audits).toHaveLength(AUDITS);
  });

  it.each(audits.map((audit) => [audit.id, audit.name, audit] as const))(
    '%s: %s',
    async (_id, _name, audit) => {
      const outcome = await audit.fn();
      expect(outcome.status, 'reason' in outcome ? outcome.reason : undefined).toBe('ok');
    },
  );
});
