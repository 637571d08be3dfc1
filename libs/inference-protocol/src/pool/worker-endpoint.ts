import {
  type BreakerOptions,
  type BreakerReason,
  type BreakerState,
  CircuitBreaker,
} from './circuit-breaker.js';
import { HealthWatch } from './health-watch.js';
import { type ConnectionState, WorkerConnection } from './worker-connection.js';

export interface EndpointOptions {
  channels: number;
  maxMessageBytes: number;
  breaker: BreakerOptions;
  watchHealth: boolean;
  /** told whenever the worker may have become, or ceased to be, one that gets calls */
  onChange(): void;
  onBreaker(state: BreakerState, reason: BreakerReason | undefined): void;
}

/** No worker can ask to be left alone for longer. */
const LONGEST_PUSHBACK_MS = 5_000;

/** One worker: its connections, what is under way on them, and whether it should get calls. */
export class WorkerEndpoint {
  readonly breaker: CircuitBreaker;
  inFlight = 0;
  /** what the worker says of itself */
  isServing = true;
  /** false while it is watched and has not said anything yet */
  private hasSpoken: boolean;
  /** the last failure to reach it, for the message of calls that find nobody */
  lastFailure = '';
  private readonly connections: WorkerConnection[];
  private readonly health: HealthWatch | undefined;
  private isRetired = false;
  private wasConnected = false;
  private leftAloneUntil = 0;
  private whenIdle: (() => void) | undefined;

  /** @param address  `host:port` as discovery gave it */
  constructor(
    readonly address: string,
    private readonly options: EndpointOptions,
  ) {
    this.breaker = new CircuitBreaker(options.breaker, () => this.breakerChanged());
    const target = targetOf(address);
    this.connections = Array.from(
      { length: options.channels },
      () => new WorkerConnection(target, options.maxMessageBytes, () => this.connectionChanged()),
    );
    const [first] = this.connections;
    this.hasSpoken = !options.watchHealth;
    if (options.watchHealth && first) this.health = new HealthWatch(first, (is) => this.serves(is));
  }

  get state(): ConnectionState {
    if (this.isConnected) return this.hasSpoken ? 'ready' : 'connecting';
    return this.connections.some(({ state }) => state === 'connecting') ? 'connecting' : 'down';
  }

  private get isConnected(): boolean {
    return this.connections.some(({ state }) => state === 'ready');
  }

  /** The ready connection with the fewest calls; undefined when all were lost meanwhile. */
  leastBusyConnection(): WorkerConnection | undefined {
    const { connections } = this;
    if (connections.length === 1) return connections[0]?.state === 'ready' ? connections[0] : undefined;
    let best: WorkerConnection | undefined;
    for (const connection of connections) {
      if (connection.state === 'ready' && (!best || connection.inFlight < best.inFlight)) best = connection;
    }
    return best;
  }

  /** The worker asked for a pause: others are preferred for that long. */
  leaveAlone(milliseconds: number, now: number): void {
    this.leftAloneUntil = now + Math.min(milliseconds, LONGEST_PUSHBACK_MS);
  }

  isLeftAlone(now: number): boolean {
    return now < this.leftAloneUntil;
  }

  began(connection: WorkerConnection): void {
    this.inFlight += 1;
    connection.inFlight += 1;
  }

  ended(connection: WorkerConnection): void {
    this.inFlight -= 1;
    connection.inFlight -= 1;
    if (this.isRetired && this.inFlight === 0) this.disconnect();
  }

  /** Gets no new call from now on; settles once the running ones have ended and the connections are closed. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.whenIdle = resolve;
      this.isRetired = true;
      this.health?.stop();
      if (this.inFlight === 0) this.disconnect();
    });
  }

  private disconnect(): void {
    for (const connection of this.connections) connection.close();
    this.whenIdle?.();
  }

  private connectionChanged(): void {
    if (this.isRetired) return;
    const { isConnected } = this;
    if (isConnected && !this.wasConnected) this.breaker.reconnected();
    if (!isConnected) {
      this.isServing = true;
      this.hasSpoken = !this.health;
    }
    this.wasConnected = isConnected;
    this.options.onChange();
    if (this.connections[0]?.state === 'ready') this.health?.start();
    else this.health?.leave();
  }

  private breakerChanged(): void {
    this.options.onChange();
    this.options.onBreaker(this.breaker.state, this.breaker.reason);
  }

  private serves(isServing: boolean): void {
    if (isServing === this.isServing && this.hasSpoken) return;
    this.isServing = isServing;
    this.hasSpoken = true;
    this.options.onChange();
  }
}

/** Numbers need no look-up; a name is looked up by its connection. */
function targetOf(address: string): string {
  if (address.startsWith('[')) return `ipv6:${address}`;
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(address) ? `ipv4:${address}` : `dns:${address}`;
}
