import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { monitoringService } from '../service-definitions.js';
import type { WorkerReport } from './monitoring-messages.js';

export interface WorkerStreamOptions {
  address: string;
  periodMs: number;
  maxMessageBytes: number;
  /** The next report waits for it; where it rejects the stream begins anew, and the worker tells everything again. */
  onReport(report: WorkerReport): Promise<void>;
  /** no stream could be opened, or a report was not taken; it is tried again. A stream that ends (connections grow old) is opened again. */
  onProblem(error: Error): void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A worker of a build that tells nothing is asked again when it may have been replaced. */
const UNSUPPORTED_PAUSE_MS = 60_000;

/** One stream of `Monitoring/Watch`, opened again whenever it ends, until it is closed. */
export class WorkerStream {
  /** epoch milliseconds of the last report; null before the first */
  heardAt: number | null = null;
  isOpen = false;
  private readonly client: Client;
  private stream: ClientReadableStream<WorkerReport> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = FIRST_PAUSE_MS;
  private isClosed = false;
  private handling: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerStreamOptions) {
    this.client = new Client(options.address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 5_000,
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 3_000,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_channelz': 0,
    });
    this.open();
  }

  /** No further report is begun; settles when the one in hand is done. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.leave();
    await this.handling;
    this.client.close();
  }

  private open(): void {
    const definition = monitoringService['Watch'];
    if (!definition) throw new Error('monitoring.proto defines no Watch');
    const stream = this.client.makeServerStreamRequest<{ periodMs: number }, WorkerReport>(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize as (bytes: Buffer) => WorkerReport,
      { periodMs: this.options.periodMs },
      new Metadata(),
    );
    this.stream = stream;
    stream.on('data', (report: WorkerReport) => {
      stream.pause();
      this.handling = this.take(stream, report);
    });
    stream.on('error', (error: ServiceError) => this.ended(stream, error));
    stream.on('end', () => this.ended(stream, null));
  }

  private async take(stream: ClientReadableStream<WorkerReport>, report: WorkerReport): Promise<void> {
    if (stream !== this.stream) return;
    this.isOpen = true;
    try {
      await this.options.onReport(report);
      this.heardAt = Date.now();
      this.pauseMs = FIRST_PAUSE_MS;
      stream.resume();
    } catch (error) {
      this.isOpen = false;
      this.ended(stream, error instanceof Error ? error : new Error(String(error)));
      stream.cancel();
    }
  }

  private ended(stream: ClientReadableStream<WorkerReport>, error: Error | null): void {
    if (stream !== this.stream || this.isClosed) return;
    const wasHeard = this.isOpen;
    this.stream = undefined;
    this.isOpen = false;
    if (error && !wasHeard) this.options.onProblem(error);
    const isUnsupported = (error as ServiceError | null)?.code === status.UNIMPLEMENTED;
    // Streams of many workers that end together do not come back together.
    const pauseMs = isUnsupported ? UNSUPPORTED_PAUSE_MS : this.pauseMs * (0.5 + Math.random() / 2);
    this.pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.pauseMs);
    this.timer = setTimeout(() => this.open(), pauseMs);
  }

  private leave(): void {
    const { stream } = this;
    this.stream = undefined;
    this.isOpen = false;
    stream?.cancel();
  }
}
