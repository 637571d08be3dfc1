import { randomUUID } from 'node:crypto';
import type { CountEntry, CountLedger } from './count-ledger.js';
import { LATENCY_BOUNDS_MS, type TrafficLedger, type TrafficMinute } from './traffic-ledger.js';

/** `WatchResponse` of monitoring.proto. */
export interface WatchMessage {
  worker: string;
  counts: { model: string; version: string; hour: number; rows: number; sketch: Uint8Array }[];
  traffic: object[];
  uncounted: UncountedVersion[];
  isLast: boolean;
}

/** A loaded version of which nothing is counted. */
export interface UncountedVersion {
  model: string;
  version: string;
  reason: string;
}

export interface FeedParts {
  counts: CountLedger;
  traffic: TrafficLedger;
  /** makes the threads hand over what they counted */
  collect(): Promise<void>;
  uncounted(): UncountedVersion[];
  now?: () => number;
}

/** Where a watcher is in what there is to tell. */
export interface FeedCursor {
  revision: number;
  /** epoch milliseconds */
  trafficAt: number;
}

/** Sketches that share a message may take so many bytes; a larger one goes alone. */
const MESSAGE_BYTES = 1024 * 1024;
const MESSAGE_SLOTS = 1_000;
/** However many watch, threads are asked once in so long. */
const COLLECTED_FOR_MS = 50;

/** What a worker has counted, as messages for whoever watches it. */
export class MonitoringFeed {
  readonly worker = randomUUID();
  private collecting: Promise<void> | null = null;
  private collectedAt = 0;

  constructor(private readonly parts: FeedParts) {}

  /** Makes the threads hand over; those who ask at the same time share it. */
  async collect(): Promise<void> {
    const now = this.now();
    if (now - this.collectedAt < COLLECTED_FOR_MS) return;
    this.collecting ??= this.parts.collect().finally(() => {
      this.collecting = null;
      this.collectedAt = this.now();
    });
    await this.collecting;
  }

  /** Also what the threads counted a moment ago. */
  async collectAll(): Promise<void> {
    await this.collecting;
    await this.parts.collect();
  }

  static start(): FeedCursor {
    return { revision: 0, trafficAt: 0 };
  }

  /** What changed since the cursor, which moves on: one message at least, so that a watcher knows that the worker lives. */
  next(cursor: FeedCursor, { isLast = false } = {}): WatchMessage[] {
    const now = this.now();
    const counts = this.parts.counts.since(cursor.revision);
    const traffic = this.parts.traffic.since(cursor.trafficAt);
    cursor.revision = this.parts.counts.revision;
    cursor.trafficAt = now;
    const messages = [this.message({ uncounted: this.parts.uncounted() })];
    for (let from = 0; from < traffic.length; from += MESSAGE_SLOTS)
      messages.push(this.message({ traffic: traffic.slice(from, from + MESSAGE_SLOTS).map(trafficOf) }));
    for (const group of grouped(counts.map(countsOf))) messages.push(this.message({ counts: group }));
    if (isLast) messages.push(this.message({ isLast }));
    return joined(messages);
  }

  private message(content: Partial<WatchMessage>): WatchMessage {
    return { worker: this.worker, counts: [], traffic: [], uncounted: [], isLast: false, ...content };
  }

  private now(): number {
    return (this.parts.now ?? Date.now)();
  }
}

function countsOf({ model, version, hour, sketch }: CountEntry): WatchMessage['counts'][number] {
  return { model, version, hour, rows: sketch.rows, sketch: sketch.toBytes() };
}

function grouped(all: WatchMessage['counts']): WatchMessage['counts'][] {
  const groups: WatchMessage['counts'][] = [];
  let room = 0;
  for (const each of all) {
    if (room < each.sketch.length || groups.length === 0) {
      groups.push([]);
      room = MESSAGE_BYTES;
    }
    groups.at(-1)?.push(each);
    room -= each.sketch.length;
  }
  return groups;
}

/** The common case is little of everything: one message. */
function joined(messages: readonly WatchMessage[]): WatchMessage[] {
  const [first, ...rest] = messages;
  if (!first || rest.length === 0) return [...messages];
  const bytes = messages.reduce(
    (sum, { counts }) => sum + counts.reduce((own, { sketch }) => own + sketch.length, 0),
    0,
  );
  const slots = messages.reduce((sum, { traffic }) => sum + traffic.length, 0);
  if (bytes > MESSAGE_BYTES || slots > MESSAGE_SLOTS) return [...messages];
  return [
    {
      ...first,
      counts: messages.flatMap(({ counts }) => counts),
      traffic: messages.flatMap(({ traffic }) => traffic),
      isLast: messages.some(({ isLast }) => isLast),
    },
  ];
}

function trafficOf({ latencyCounts, shadow, touchedAt: _unused, ...slot }: TrafficMinute): object {
  const { sumAbsolute, maxAbsolute, ...numbers } = shadow;
  return {
    ...slot,
    latencyCounts: [...latencyCounts],
    latencyBoundsMs: LATENCY_BOUNDS_MS,
    shadow: { ...numbers, sumAbsoluteDifference: sumAbsolute, maxAbsoluteDifference: maxAbsolute },
  };
}
