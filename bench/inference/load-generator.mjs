// Stands in for ghz where that cannot be had: callers in grpc-js that send one serialised message again and again.
//
//   node bench/inference/load-generator.mjs '{"port":50051,"messageFile":"…","callers":64,"seconds":5}'
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { rawClient } from './wire.mjs';

const DEADLINE_MS = 20_000;
const CONNECTIONS = 8;

const { port, messageFile, callers, seconds } = JSON.parse(process.argv[2] ?? '{}');
const message = readFileSync(messageFile);
const clients = Array.from({ length: Math.min(callers, CONNECTIONS) }, () => rawClient(port));
const latencies = [];
let failed = 0;
const startedMs = performance.now();
const endsMs = startedMs + seconds * 1_000;
await Promise.all(
  Array.from({ length: callers }, async (_, caller) => {
    const client = clients[caller % clients.length];
    while (performance.now() < endsMs) {
      const sentMs = performance.now();
      await client.infer(message, DEADLINE_MS).then(
        () => latencies.push(performance.now() - sentMs),
        () => (failed += 1),
      );
    }
  }),
);
const wallSeconds = (performance.now() - startedMs) / 1_000;
for (const client of clients) client.close();
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.floor(share * (latencies.length - 1))] ?? 0;
process.stdout.write(
  JSON.stringify({ answered: latencies.length, failed, wallSeconds, p50Ms: at(0.5), p99Ms: at(0.99) }),
);
