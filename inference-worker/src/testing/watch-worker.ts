import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { monitoringService } from '@sextant/inference-protocol';
import type { WatchMessage } from '../monitoring/monitoring-feed.js';

/** One stream of `Monitoring/Watch` and what came on it. */
export interface Watch {
  messages: WatchMessage[];
  /** settles with the end of the stream: null, or the error */
  ended: Promise<ServiceError | null>;
  cancel(): void;
}

export function watchWorker(port: number, periodMs = 100): Watch {
  const definition = monitoringService['Watch'];
  if (!definition) throw new Error('monitoring.proto defines no Watch');
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const stream: ClientReadableStream<WatchMessage> = client.makeServerStreamRequest(
    definition.path,
    definition.requestSerialize,
    definition.responseDeserialize,
    { periodMs },
    new Metadata(),
  );
  const messages: WatchMessage[] = [];
  const ended = new Promise<ServiceError | null>((resolve) => {
    stream.on('data', (message: WatchMessage) => messages.push(message));
    stream.on('error', (error: ServiceError) => resolve(error));
    stream.on('end', () => resolve(null));
  }).finally(() => client.close());
  return { messages, ended, cancel: () => stream.cancel() };
}

/** The newest total of each version and hour. */
export function totalsOf(messages: readonly WatchMessage[]): Map<string, WatchMessage['counts'][number]> {
  const counts = messages.flatMap((message) => message.counts);
  return new Map(counts.map((each) => [`${each.model}@${each.version}/${each.hour}`, each]));
}
