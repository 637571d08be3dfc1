import type { Identity } from '@sextant/domain';
import { activeSpan, signRequest } from '@sextant/platform';

export interface NeighbourOptions {
  /** as it knows itself: signatures are for it alone */
  name: 'customer' | 'campaign';
  /** of its /graphql */
  url: string;
  signingSecret: string;
  timeoutMs: number;
  /** milliseconds since 1970 */
  now(): number;
}

/** Another subgraph's own graph, asked as a service of a tenant with no more scopes than the question needs. */
export class NeighbourGraph {
  constructor(private readonly options: NeighbourOptions) {}

  /**
   * @param as.scopes  that the service may use
   * @returns the answer as it came, which may be anything
   * @throws an error of fetch, or of JSON, for a neighbour that does not answer in time or at all
   */
  async ask(
    as: Pick<Identity, 'tenantId' | 'scopes'>,
    request: { query: string; variables: object },
  ): Promise<unknown> {
    const { name, url, signingSecret, timeoutMs, now } = this.options;
    const body = JSON.stringify(request);
    const signed = { receiver: name, method: 'POST', path: new URL(url).pathname, body };
    const identity = { ...as, subject: 'service:prediction', roles: ['service'] };
    const signature = signRequest(signed, identity, { secret: signingSecret, nowMs: now() });
    const traceparent = activeSpan()?.traceparent;
    const trace: Record<string, string> = traceparent === undefined ? {} : { traceparent };
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...trace, ...signature },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    return response.json();
  }
}
