import { DomainError } from '@sextant/domain';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { EngineSource } from '../engine/engine.js';
import type { GatewayContext, OperationParams } from '../pipeline/operation.js';
import type { AdmittedSubscription, Pipeline } from '../pipeline/pipeline.js';
import { Seat } from './seat.js';
import { SharedStream, type StreamParts } from './shared-stream.js';
import type { Subscriber } from './stream-event.js';
import { sharedRequest } from './subscription-key.js';

/** What a subscriber asks for. */
export interface SubscribeRequest {
  params: OperationParams;
  context: GatewayContext;
  /** cursor that the transport goes on after, e.g. Last-Event-ID */
  resumeAfter: string | null;
}

/** A subscription that stands; nothing is told before it is started. */
export interface Subscription {
  /** after which it begins */
  cursor: string | null;
  start(): void;
  leave(): void;
}

/** Streams of one kind: the one that everybody is on, and those that catch up with it. */
interface Family {
  main: SharedStream;
  behind: Set<SharedStream>;
}

/** How often it is looked whether the supergraph was replaced. */
const LOOK_MS = 1_000;
const BEAT_MS = 15_000;

/**
 * All subscriptions of this gateway. Equal ones share one execution; somebody who comes back with a cursor gets what was missed
 * from memory, or through a stream of its own until that is as far as the others are.
 */
export class StreamHub {
  private readonly families = new Map<string, Family>();
  private readonly timers: readonly NodeJS.Timeout[];
  private isClosed = false;

  constructor(
    private readonly pipeline: Pick<Pipeline, 'begin'>,
    private readonly engines: EngineSource,
    private readonly onUnexpected: (error: unknown) => void,
  ) {
    const beat = setInterval(() => this.streams().forEach((stream) => stream.beat()), BEAT_MS);
    this.timers = [beat, setInterval(() => this.followEngine(), LOOK_MS)];
    for (const timer of this.timers) timer.unref();
  }

  /** How many executions feed all subscribers. */
  get executions(): number {
    return this.streams().length;
  }

  /** @returns the subscription once it stands, or the result that refuses it */
  async subscribe(asked: SubscribeRequest, subscriber: Subscriber): Promise<Subscription | ExecutionResult> {
    if (this.isClosed) return goingDown();
    const admitted = await this.admit(asked);
    if (!('held' in admitted)) return admitted;
    const { held, key, after } = admitted;
    try {
      const family = this.familyOf(key, held, asked);
      const refused = await family.main.standing();
      if (refused) return refused;
      const seat = new Seat(subscriber);
      try {
        return await this.seated(seat, family, { key, held, after, asked });
      } finally {
        family.main.closeWhenIdle();
      }
    } finally {
      held.release();
    }
  }

  private async seated(
    seat: Seat,
    family: Family,
    opening: Opening,
  ): Promise<Subscription | ExecutionResult> {
    const { after } = opening;
    const place = this.placeOf(family, after);
    const stream = place ?? this.catchUp(family, opening);
    const cursor = after ?? stream.cursor;
    stream.join(seat, place ? after : null);
    const refused = place ? null : await stream.standing();
    return refused ?? subscriptionOf(seat, cursor);
  }

  /** Ends every stream; those who were on them subscribe again elsewhere. */
  close(): void {
    this.isClosed = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const stream of this.streams()) stream.close('moved');
  }

  private async admit(asked: SubscribeRequest) {
    const admitted = await this.pipeline.begin(asked.params, asked.context);
    if (!('events' in admitted)) return admitted;
    const { key, request, after } = sharedRequest(admitted.request, asked.resumeAfter);
    return { key, after, held: held({ ...admitted, request }) };
  }

  private familyOf(key: string, admitted: Held, asked: SubscribeRequest): Family {
    const known = this.families.get(key);
    if (known) return known;
    const behind = new Set<SharedStream>();
    const main = this.open(
      { key, held: admitted, after: null, asked },
      {
        isNeeded: () => behind.size > 0,
        onEnd: (stream) => {
          if (this.families.get(key)?.main === stream) this.families.delete(key);
          for (const other of behind) other.close('moved');
        },
      },
    );
    const family: Family = { main, behind };
    this.families.set(key, family);
    return family;
  }

  private placeOf({ main, behind }: Family, after: string | null): SharedStream | undefined {
    return [main, ...behind].find((stream) => stream.covers(after));
  }

  private catchUp(family: Family, opening: Opening): SharedStream {
    const own = this.open(opening, {
      isNeeded: () => false,
      onEnd: (stream) => {
        family.behind.delete(stream);
        family.main.closeWhenIdle();
      },
    });
    family.behind.add(own);
    return own;
  }

  private open(opening: Opening, role: Pick<StreamParts, 'isNeeded' | 'onEnd'>): SharedStream {
    return new SharedStream({
      admitted: opening.held.retain(),
      after: opening.after,
      admitAgain: async () => {
        const admitted = await this.admit(untraced(opening.asked));
        return 'held' in admitted ? admitted.held : admitted;
      },
      onUnexpected: this.onUnexpected,
      onEvent: () => this.join(opening.key),
      ...role,
    });
  }

  /** Those who have caught up go on with the others. */
  private join(key: string): void {
    const family = this.families.get(key);
    for (const stream of family?.behind ?? []) {
      if (family && stream.cursor !== null && family.main.covers(stream.cursor)) stream.handOver(family.main);
    }
  }

  private followEngine(): void {
    if (this.families.size === 0) return;
    const { engine, release } = this.engines.lease();
    release();
    for (const stream of this.streams()) stream.moveTo(engine);
  }

  private streams(): SharedStream[] {
    return [...this.families.values()].flatMap(({ main, behind }) => [main, ...behind]);
  }
}

interface Opening {
  key: string;
  held: Held;
  after: string | null;
  asked: SubscribeRequest;
}

/** What is judged again hours later belongs to nobody's trace. */
function untraced({ context: { span: _, ...context }, ...asked }: SubscribeRequest): SubscribeRequest {
  return { ...asked, context };
}

/** An admitted subscription that several may need; its engine is released by the last of them. */
interface Held extends AdmittedSubscription {
  retain(): Held;
}

function held(admitted: AdmittedSubscription): Held {
  let users = 1;
  const shared: Held = {
    ...admitted,
    retain() {
      users += 1;
      return shared;
    },
    release() {
      users -= 1;
      if (users === 0) admitted.release();
    },
  };
  return shared;
}

function subscriptionOf(seat: Seat, cursor: string | null): Subscription {
  return { cursor, start: () => seat.start(), leave: () => seat.leave() };
}

function goingDown(): ExecutionResult {
  const failure = new DomainError('GATEWAY_UNAVAILABLE', 'this gateway goes down: subscribe again');
  const extensions = { code: failure.code };
  return { errors: [new GraphQLError(failure.message, { extensions, originalError: failure })] };
}
