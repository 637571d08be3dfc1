import type { StreamEvent } from './stream-event.js';

const KEPT_EVENTS = 500;
const KEPT_CHARACTERS = 2 * 1024 * 1024;

/** The newest events of a stream, so that somebody who was away for a moment gets them from memory. */
export class EventLog {
  private events: StreamEvent[] = [];
  private characters = 0;
  /** after which the kept events begin */
  private start: string | null = null;

  /** @param cursor  nothing has happened after it yet */
  begin(cursor: string | null): void {
    this.start = cursor;
  }

  push(event: StreamEvent): void {
    this.events.push(event);
    this.characters += event.json.length;
    if (this.events.length < 2 * KEPT_EVENTS && this.characters < 2 * KEPT_CHARACTERS) return;
    let kept = 0;
    let from = this.events.length;
    while (from > 0 && this.events.length - from < KEPT_EVENTS) {
      kept += this.events[from - 1]?.json.length ?? 0;
      if (kept > KEPT_CHARACTERS) break;
      from -= 1;
    }
    this.start = this.events[from - 1]?.cursor ?? this.start;
    this.events = this.events.slice(from);
    this.characters = this.events.reduce((sum, { json }) => sum + json.length, 0);
  }

  /** All events after the one with this cursor; null where it is not known here. */
  after(cursor: string): readonly StreamEvent[] | null {
    if (cursor === this.start) return this.events;
    const at = this.events.findLastIndex((event) => event.cursor === cursor);
    return at < 0 ? null : this.events.slice(at + 1);
  }
}
