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

/**
 * Hears from a worker whether it takes calls, on one stream of `grpc.health.v1.Health/Watch`. A worker that does not know the
 * service or the method is taken to serve. A stream that breaks is opened again; a worker that ends it as UNAVAILABLE is draining.
 */
export class HealthWatch {
  private stream: ClientReadableStream<HealthResponse> | undefined;
  private again: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(
    private readonly connection: WorkerConnection,
    private readonly onServing: (isServing: boolean) => void,
  ) {}

  /** Called whenever the connection is ready. */
  start(): void {
    if (this.stream || this.isStopped) return;
    clearTimeout(this.again);
    const definition = healthService['Watch'];
    if (!definition) throw new Error('health.proto defines no Watch');
    const { path, requestSerialize, responseDeserialize } = definition;
    const request: HealthRequest = { service: SERVICE };
    const stream = this.connection.client.makeServerStreamRequest<HealthRequest, HealthResponse>(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
    );
    stream.on('data', ({ status: health }: HealthResponse) => this.onServing(health !== 'NOT_SERVING'));
    stream.on('error', (error: ServiceError) => this.ended(error.code));
    stream.on('end', () => this.ended(status.OK));
    this.stream = stream;
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.again);
    this.stream?.cancel();
  }

  private ended(code: status): void {
    if (!this.stream || this.isStopped) return;
    this.stream = undefined;
    if (code === status.UNIMPLEMENTED || code === status.NOT_FOUND) {
      this.isStopped = true;
      this.onServing(true);
      return;
    }
    if (this.connection.state !== 'ready') return;
    this.again = setTimeout(() => this.start(), AGAIN_AFTER_MS);
    this.again.unref();
  }
}
