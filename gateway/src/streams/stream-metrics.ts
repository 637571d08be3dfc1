import { Counter, Gauge, type Registry } from 'prom-client';

export type StreamProtocol = 'sse' | 'websocket';

/** What operators see of subscriptions. */
export class StreamMetrics {
  private readonly open: Gauge<'protocol'>;
  private readonly sent: Counter<'protocol'>;
  private readonly slow: Counter<'protocol'>;

  /** @param executions  how many upstream subscriptions feed all subscribers, asked at each scrape */
  constructor(registry: Registry, executions: () => number) {
    const registers = [registry];
    const labelNames = ['protocol'] as const;
    this.open = new Gauge({
      name: 'sextant_gateway_streams_open',
      help: 'subscriptions that clients have open',
      ...{ labelNames, registers },
    });
    this.sent = new Counter({
      name: 'sextant_gateway_stream_events_total',
      help: 'events sent to subscribers',
      ...{ labelNames, registers },
    });
    this.slow = new Counter({
      name: 'sextant_gateway_slow_subscribers_total',
      help: 'connections that were ended because their client did not read',
      ...{ labelNames, registers },
    });
    const shared: Gauge = new Gauge({
      name: 'sextant_gateway_stream_executions',
      help: 'executions that feed all open subscriptions; equal ones share one',
      registers,
      collect: () => shared.set(executions()),
    });
  }

  opened(protocol: StreamProtocol): void {
    this.open.inc({ protocol });
  }

  closed(protocol: StreamProtocol): void {
    this.open.dec({ protocol });
  }

  told(protocol: StreamProtocol): void {
    this.sent.inc({ protocol });
  }

  wasSlow(protocol: StreamProtocol): void {
    this.slow.inc({ protocol });
  }
}
