import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Decoded, RecommendRequest, RecommendResponse } from '../decisions-messages.js';
import { decisionsService, healthService } from '../service-definitions.js';

export type Call = ServerUnaryCall<Decoded<RecommendRequest>, RecommendResponse>;
export type Reply = sendUnaryData<RecommendResponse>;
export type Recommend = (call: Call, reply: Reply) => void;
type ServingStatus = 'SERVING' | 'NOT_SERVING';

interface HealthStream {
  write(message: { status: ServingStatus }): void;
  end(): void;
  once(event: 'cancelled', listener: () => void): void;
}

export const aRequest: RecommendRequest = { model: 'm', rows: [{ history: ['a'], first: 1 }] };

/** An answer that tells by whom it was given. */
export const answerOf = (device: string): RecommendResponse => ({
  servedBy: {
    ...{ model: 'm', version: '1', trainedAt: '', device },
    ...{ queueMs: 0, computeMs: 0, batchSize: 1 },
  },
  slates: [],
});

export const answer: Recommend = (_call, reply) => reply(null, answerOf('CPU'));

export interface ServerChoices {
  port?: number;
  maxConnectionAgeMs?: number;
  /** told to those who watch; without it the server has no health service */
  health?: ServingStatus;
}

/** A real gRPC server whose Recommend is the given function. */
export class WorkerServer {
  calls = 0;
  port = 0;
  private readonly watchers = new Set<HealthStream>();
  private readonly server: Server;
  private health: ServingStatus | undefined;

  private constructor(recommend: Recommend, { maxConnectionAgeMs, health }: ServerChoices) {
    this.health = health;
    this.server = new Server(
      maxConnectionAgeMs === undefined
        ? {}
        : { 'grpc.max_connection_age_ms': maxConnectionAgeMs, 'grpc.max_connection_age_grace_ms': 5_000 },
    );
    this.server.addService(decisionsService, {
      Recommend: (call: Call, reply: Reply) => {
        this.calls += 1;
        recommend(call, reply);
      },
    });
    if (health)
      this.server.addService(healthService, { Watch: (stream: HealthStream) => this.watch(stream) });
  }

  static async start(recommend: Recommend = answer, choices: ServerChoices = {}): Promise<WorkerServer> {
    const worker = new WorkerServer(recommend, choices);
    worker.port = await new Promise<number>((resolve, reject) => {
      worker.server.bindAsync(
        `127.0.0.1:${choices.port ?? 0}`,
        ServerCredentials.createInsecure(),
        (error, port) => (error ? reject(error) : resolve(port)),
      );
    });
    return worker;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  tell(health: ServingStatus): void {
    this.health = health;
    for (const stream of this.watchers) stream.write({ status: health });
  }

  /** Connections are reset, as by a process that is killed. */
  kill(): void {
    this.server.forceShutdown();
  }

  /** GOAWAY, then the running calls end. */
  drain(): Promise<void> {
    for (const stream of this.watchers) stream.end();
    return new Promise((resolve) => this.server.tryShutdown(() => resolve()));
  }

  private watch(stream: HealthStream): void {
    this.watchers.add(stream);
    stream.once('cancelled', () => this.watchers.delete(stream));
    stream.write({ status: this.health ?? 'SERVING' });
  }
}

/** Looks until the condition holds. @throws Error when it does not in time */
export async function until(holds: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
