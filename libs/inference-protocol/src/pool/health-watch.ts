import { type ClientReadableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { healthService } from '../service-definitions.js';
import type { WorkerConnection } from './worker-connection.js';

interface HealthRequest {
  service: string;
}
interface HealthResponse {
  status: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

const SERVICE = 'readiness';
const AGAIN_AFTER_MS = 500;
/** A worker that says nothing for so long is asked all the same; its breaker knows what to do. */
const PATIENCE_MS = 1_000;

/**
 * Hears from a worker whether it takes calls, on one stream of `grpc.health.v1.Health/Watch`. A worker that does not know the
 * service or the method is taken to serve. A stream that breaks is opened again; until it speaks its last word stands.
 */
export class HealthWatch {
  private stream: ClientReadableStream<HealthResponse> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isSupported = true;
  private isStopped = false;

  constructor(
    private readonly connection: WorkerConnection,
    private readonly onServing: (isServing: boolean) => void,
  ) {}

  /** Called whenever the connection is ready; `onServing` is called soon after. */
  start(): void {
    if (this.stream || this.isStopped) return;
    if (!this.isSupported) return this.onServing(true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onServing(true), PATIENCE_MS);
    this.timer.unref();
    const stream = this.open();
    stream.on('data', ({ status: health }: HealthResponse) => {
      clearTimeout(this.timer);
      this.onServing(health !== 'NOT_SERVING');
    });
    stream.on('error', (error: ServiceError) => this.ended(stream, error.code));
    stream.on('end', () => this.ended(stream, status.OK));
    this.stream = stream;
  }

  /** The connection is gone or about to go; a stream that is left on it would hold it open and say nothing of the next one. */
  leave(): void {
    const { stream } = this;
    this.stream = undefined;
    clearTimeout(this.timer);
    stream?.cancel();
  }

  stop(): void {
    this.isStopped = true;
    this.leave();
  }

  private open(): ClientReadableStream<HealthResponse> {
    const definition = healthService['Watch'];
    if (!definition) throw new Error('health.proto defines no Watch');
    const { path, requestSerialize, responseDeserialize } = definition;
    const { client } = this.connection;
    const request: HealthRequest = { service: SERVICE };
    return client.makeServerStreamRequest<HealthRequest, HealthResponse>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
    );
  }

  private ended(stream: ClientReadableStream<HealthResponse>, code: status): void {
    if (stream !== this.stream || this.isStopped) return;
    this.stream = undefined;
    clearTimeout(this.timer);
    this.isSupported = code !== status.UNIMPLEMENTED && code !== status.NOT_FOUND;
    if (this.connection.state !== 'ready') return;
    if (!this.isSupported) return this.onServing(true);
    this.timer = setTimeout(() => this.start(), AGAIN_AFTER_MS);
    this.timer.unref();
  }
}
