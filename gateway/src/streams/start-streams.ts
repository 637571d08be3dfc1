import type { Server } from 'node:http';
import type { Registry } from 'prom-client';
import type { EngineSource } from '../engine/engine.js';
import type { SideDoor } from '../http/http-front.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { ConnectionCount } from './connection-count.js';
import { eventStreamDoor } from './event-stream.door.js';
import { StreamHub } from './stream-hub.js';
import { StreamMetrics } from './stream-metrics.js';
import type { StreamServing } from './stream-settings.js';
import type { StreamsConfig } from './streams.config.js';
import { WebSocketFront } from './web-socket.server.js';

export interface StreamsParts extends Pick<
  StreamServing,
  'identify' | 'identifyAgain' | 'onBody' | 'onRefused' | 'timeoutMs' | 'tracing'
> {
  pipeline: Pipeline;
  engines: EngineSource;
  registry: Registry;
}

/** Subscriptions of a gateway, over both protocols. */
export interface RunningStreams {
  /** server-sent events on the paths of the graph */
  door: SideDoor;
  /** WebSockets on the paths of the graph */
  listen(server: Server): void;
  /** ends every stream; clients come back, after the last event they have */
  close(): void;
}

export function startStreams(
  config: StreamsConfig,
  { pipeline, engines, registry, ...given }: StreamsParts,
): RunningStreams {
  const hub = new StreamHub(pipeline, engines, (error) => given.onRefused('INTERNAL_SERVER_ERROR', error));
  const serving: StreamServing = {
    ...given,
    hub,
    metrics: new StreamMetrics(registry, () => hub.executions),
    connections: new ConnectionCount(config.SEXTANT_STREAM_CONNECTIONS),
    subscriptions: config.SEXTANT_STREAM_SUBSCRIPTIONS,
  };
  const sockets: WebSocketFront[] = [];
  return {
    door: eventStreamDoor(serving),
    listen: (server) => void sockets.push(new WebSocketFront(server, serving)),
    close() {
      hub.close();
      for (const front of sockets) front.close();
    },
  };
}
