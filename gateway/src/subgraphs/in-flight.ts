import { ExchangeError } from './http-exchange.js';

/** Who waits for an answer. */
export interface Waiting {
  /** epoch milliseconds until which this one waits */
  latestMs: number;
  /** aborted when this one leaves */
  signal?: AbortSignal | undefined;
}

interface Shared<T> {
  promise: Promise<T>;
  latestMs: number;
  waiting: number;
  isOver: boolean;
  end: AbortController;
}

/**
 * Equal work that is going on at the same time is done once. It ends when the last who waits for it has left, and one who
 * would wait much longer than the work goes on starts work of its own.
 */
export class InFlight<T> {
  private readonly shared = new Map<string, Shared<T>>();

  /**
   * @param key    everything that can change the result
   * @param start  begins the work; its signal is aborted when nobody waits any more
   * @throws ExchangeError `timeout` or `cancelled` for the one whose time is over or who has left, whatever becomes of the others
   */
  async run(
    key: string,
    waiting: Waiting,
    start: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; isJoined: boolean }> {
    const known = this.shared.get(key);
    const isJoined = known !== undefined && goesOnFor(known.latestMs, waiting.latestMs);
    const entry = isJoined ? known : this.begin(key, waiting.latestMs, start);
    entry.waiting += 1;
    try {
      const value = await (isJoined || waiting.signal ? withOwnEnd(entry, waiting) : entry.promise);
      return { value, isJoined };
    } finally {
      entry.waiting -= 1;
      if (entry.waiting === 0 && !entry.isOver) entry.end.abort();
    }
  }

  private begin(key: string, latestMs: number, start: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const end = new AbortController();
    const entry: Shared<T> = { promise: start(end.signal), latestMs, waiting: 0, isOver: false, end };
    this.shared.set(key, entry);
    const forget = (): void => {
      entry.isOver = true;
      if (this.shared.get(key) === entry) this.shared.delete(key);
    };
    entry.promise.then(forget, forget);
    end.signal.addEventListener('abort', forget, { once: true });
    return entry;
  }
}

/** At least four fifths of the time that the newcomer would wait: its deadline is always a little later than that of the first. */
function goesOnFor(endsAtMs: number, latestMs: number): boolean {
  const nowMs = Date.now();
  return endsAtMs - nowMs >= 0.8 * (latestMs - nowMs);
}

function withOwnEnd<T>(work: Shared<T>, { latestMs, signal }: Waiting): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(new ExchangeError('cancelled'));
    const over = (): void => reject(new ExchangeError('timeout'));
    // Who began it ends with it; a timer of its own has only who joined and waits for less.
    const timer = latestMs < work.latestMs ? setTimeout(over, Math.max(0, latestMs - Date.now())) : undefined;
    signal?.addEventListener('abort', leave, { once: true });
    if (signal?.aborted) leave();
    const forget = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    };
    work.promise.then(
      (value) => {
        forget();
        resolve(value);
      },
      (error: unknown) => {
        forget();
        reject(error instanceof Error ? error : new ExchangeError('broken', error));
      },
    );
  });
}
