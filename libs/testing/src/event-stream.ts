export interface StreamedEvent {
  cursor: string;
  data: unknown;
  errors?: { extensions: { code: string } }[];
}

/**
 * What an event says at a path below its data, e.g. `trainingProgress.job.id`.
 *
 * @throws Error when there is no event, or it has nothing there
 */
export function told(event: StreamedEvent | undefined, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value === 'object' && value !== null && name in value)
      return (value as Record<string, unknown>)[name];
    throw new Error(`there is no ${path} in ${JSON.stringify(event)}`);
  }, event?.data);
}

/** The same, of a text. @throws Error when it is none */
export function textTold(event: StreamedEvent | undefined, path: string): string {
  const value = told(event, path);
  if (typeof value === 'string') return value;
  throw new Error(`${path} is no text in ${JSON.stringify(event)}`);
}

/** A stream of a subgraph that stands, or why it does not. */
export interface OpenedStream {
  refusal: { extensions: { code: string } } | undefined;
  /** the next results; rejects when the stream ends before */
  take(count: number): Promise<StreamedEvent[]>;
  leave(): Promise<void>;
}

/** Posts a signed request to a subgraph's /graphql/stream; resolves once the subscription stands or was refused. */
export async function openStream(
  url: string,
  signed: { body: string; headers: Record<string, string> },
): Promise<OpenedStream> {
  const aborting = new AbortController();
  const response = await fetch(url, { method: 'POST', ...signed, signal: aborting.signal });
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    return { refusal: errors[0], take: async () => [], leave: async () => undefined };
  }
  const frames = framesOf(response);
  const first = await frames.next();
  if (first.value?.event !== 'ready') throw new Error(`the stream began with ${JSON.stringify(first.value)}`);
  return {
    refusal: undefined,
    async take(count) {
      const taken: StreamedEvent[] = [];
      while (taken.length < count) {
        const { value, done } = await frames.next();
        if (done) throw new Error(`the stream ended after ${taken.length} of ${count} events`);
        if (value.event === 'beat') continue;
        taken.push({ cursor: value.id, ...(JSON.parse(value.data) as Omit<StreamedEvent, 'cursor'>) });
      }
      return taken;
    },
    leave: async () => aborting.abort(),
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
