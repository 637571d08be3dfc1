import { type ChannelOptions, Client, connectivityState, credentials } from '@grpc/grpc-js';

export type ConnectionState = 'ready' | 'connecting' | 'down';

/** A connection attempt that takes longer does not hold calls up any more. */
const CONNECT_PATIENCE_MS = 2_000;
/** Patience passes in small steps, so that a busy event loop is not taken for a worker that does not answer. */
const PATIENCE_STEP_MS = 50;

/** One HTTP/2 connection to one worker. It connects at once and again whenever it is lost, until it is closed. */
export class WorkerConnection {
  readonly client: Client;
  state: ConnectionState = 'connecting';
  inFlight = 0;
  private isClosed = false;
  private patience: NodeJS.Timeout | undefined;

  /** @param onChange  told after each change of `state` */
  constructor(
    target: string,
    maxMessageBytes: number,
    private readonly onChange: () => void,
  ) {
    this.client = new Client(target, credentials.createInsecure(), channelOptions(maxMessageBytes));
    this.startPatience();
    this.follow();
  }

  /** Running calls finish; no new one may be made. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.patience);
    this.client.close();
  }

  private readonly follow = (): void => {
    if (this.isClosed) return;
    const channel = this.client.getChannel();
    const current = channel.getConnectivityState(true);
    channel.watchConnectivityState(current, Infinity, this.follow);
    this.see(current);
  };

  private see(current: connectivityState): void {
    if (current === connectivityState.READY) this.enter('ready');
    else if (current === connectivityState.TRANSIENT_FAILURE) this.enter('down');
    else if (this.state === 'ready') {
      this.startPatience();
      this.enter('connecting');
    }
  }

  private startPatience(): void {
    clearInterval(this.patience);
    let steps = CONNECT_PATIENCE_MS / PATIENCE_STEP_MS;
    this.patience = setInterval(() => {
      steps -= 1;
      if (steps <= 0) this.enter('down');
    }, PATIENCE_STEP_MS);
    this.patience.unref();
  }

  private enter(state: ConnectionState): void {
    if (state !== 'connecting') clearInterval(this.patience);
    if (state === this.state) return;
    this.state = state;
    this.onChange();
  }
}

function channelOptions(maxMessageBytes: number): ChannelOptions {
  return {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.min_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    // Attempts are ours to make, on another worker; each connection is one of its own.
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_channelz': 0,
  };
}
