/** One event of a `text/event-stream`, as far as our subgraphs write them: one line a field. */
export interface EventFrame {
  /** empty where there is none */
  id: string;
  event: string;
  data: string;
}

/** Longest event of a subgraph, in characters. */
const MAX_FRAME = 16 * 1024 * 1024;

/**
 * Reads events as they arrive.
 *
 * @throws Error for an event that does not end
 */
export async function* readFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<EventFrame> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of bytes) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const frame = frameOf(text.slice(0, end));
      text = text.slice(end + 2);
      if (frame.event !== '') yield frame;
    }
    if (text.length > MAX_FRAME) throw new Error(`an event has more than ${MAX_FRAME} characters`);
  }
}

function frameOf(text: string): EventFrame {
  const frame: EventFrame = { id: '', event: '', data: '' };
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (name === 'id' || name === 'event' || name === 'data') frame[name] = line.slice(colon + 1).trimStart();
  }
  return frame;
}
