import type { Identity } from '@sextant/domain';
import { signRequest } from '@sextant/platform';
import { type OpenedStream, openStream } from '@sextant/testing';
import { anIdentity, SECRET } from './prediction.fixture.js';

/** One subscription at a subgraph, as the gateway asks for it. */
export function aStream(
  graphUrl: string,
  request: { query: string; variables?: Record<string, unknown> },
  { identity = anIdentity(), resumeAfter }: { identity?: Identity; resumeAfter?: string } = {},
): Promise<OpenedStream> {
  const url = `${graphUrl}/stream`;
  const body = JSON.stringify({ ...request, ...(resumeAfter && { extensions: { resumeAfter } }) });
  const signing = { secret: SECRET, nowMs: Date.now() };
  const signed = { receiver: 'prediction', method: 'POST', path: new URL(url).pathname, body };
  const headers = signRequest(signed, identity, signing);
  return openStream(url, { body, headers });
}
