import { type Identity } from '@sextant/domain';
import { signRequest } from '@sextant/platform';
import { anIdentity, SECRET } from './prediction.fixture.js';

export interface StreamedEvent {
  cursor: string;
  data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
  errors?: { extensions: { code: string } }[];
}

/** One subscription at a subgraph, read as the gateway reads it; resolves once it stands or was refused. */
export async function aStream(
  graphUrl: string,
  request: { query: string; variables?: Record<string, unknown> },
  { identity = anIdentity(), resumeAfter }: { identity?: Identity; resumeAfter?: string } = {},
) {
  const url = `${graphUrl}/stream`;
  const body = JSON.stringify({ ...request, ...(resumeAfter && { extensions: { resumeAfter } }) });
  const signing = { secret: SECRET, nowMs: Date.now() };
  const headers = signRequest({ method: 'POST', path: new URL(url).pathname, body }, identity, signing);
  const aborting = new AbortController();
  const { signal } = aborting;
  const response = await fetch(url, { method: 'POST', body, headers, signal });
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    return {
      refusal: errors[0],
      take: async (): Promise<StreamedEvent[]> => [],
      leave: async () => undefined,
    };
  }
  const frames = framesOf(response);
  const first = await frames.next();
  if (first.value?.event !== 'ready') throw new Error(`the stream began with ${JSON.stringify(first.value)}`);
  return {
    refusal: undefined,
    async take(count: number): Promise<StreamedEvent[]> {
      const taken: StreamedEvent[] = [];
      while (taken.length < count) {
        const { value, done } = await frames.next();
        if (done) throw new Error(`the stream ended after ${taken.length} of ${count} events`);
        if (value.event === 'beat') continue;
        taken.push({ cursor: value.id, ...(JSON.parse(value.data) as Omit<StreamedEvent, 'cursor'>) });
      }
      return taken;
    },
    async leave(): Promise<void> {
      aborting.abort();
    },
  };
}

async function* framesOf(response: Response): AsyncGenerator<{ id: string; event: string; data: string }> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1] ?? '';
      yield { id: field('id'), event: field('event'), data: field('data') };
    }
  }
}
