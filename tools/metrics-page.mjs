// Writes docs/reference/metrics.md from the metrics that gateway, subgraphs (those of streams), inference worker and trainer register (built before).
// With --check nothing is written, and a stale page is an error.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { CacheMetrics } from '../gateway/dist/caching/cache-metrics.js';
import { GatewayMetrics } from '../gateway/dist/observe/gateway-metrics.js';
import { HttpMetrics } from '../gateway/dist/observe/http-metrics.js';
import { StreamMetrics } from '../gateway/dist/streams/stream-metrics.js';
import { SubgraphMetrics } from '../gateway/dist/subgraphs/subgraph-metrics.js';
import { SupergraphMetrics } from '../gateway/dist/supergraph/supergraph-metrics.js';
import { EventStreamEndpoint } from '../libs/platform/dist/index.js';
import { WorkerMetrics } from '../inference-worker/dist/operations/worker-metrics.js';
import { MonitoringMetrics } from '../trainer/dist/monitoring/monitoring-metrics.js';
import { TrainerMetrics } from '../trainer/dist/trainer-metrics.js';

const page = join(import.meta.dirname, '../docs/reference/metrics.md');
const { families } = new WorkerMetrics();
const trainer = new TrainerMetrics(async () => new Map());
new MonitoringMetrics(trainer.registry, { workers: () => ({ found: 0, open: 0 }), newest: async () => [] });
const gateway = new GatewayMetrics();
gateway.watchPlans(() => undefined);
new HttpMetrics(gateway.registry);
new CacheMetrics(gateway.registry, { bytes: 0 });
new StreamMetrics(gateway.registry, () => 0);
new SubgraphMetrics(gateway.registry);
new SupergraphMetrics(gateway.registry, () => 1);
const subgraph = { registry: new Registry() };
new EventStreamEndpoint(subgraph);
const familiesOf = ({ registry }) =>
  registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('sextant_'))
    .map(({ name, type, labelNames, help }) => ({ name, type, labelNames, help }));
const row = ({ name, type, labelNames, help }) =>
  `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
const tableOf = (metrics) =>
  ['| metric | type | labels | says |', '|---|---|---|---|', ...metrics.map(row)].join('\n');
const table = (isWanted) => tableOf(families.filter(isWanted));

const text = `# Metrics of the inference worker

<!-- Written by npm run metrics from gateway/src, libs/platform/src, inference-worker/src/operations and trainer/src. -->

On \`/metrics\` of its operations port. \`model\` and \`version\` are only ever what was really served; \`none\` stands for calls that never came as
far as a model. The series of a version end when it leaves the threads. Histograms come as \`_bucket\`, \`_sum\` and \`_count\`. The process's own
metrics (\`process_…\`, \`nodejs_…\`) are those of prom-client.

${table(({ name }) => !name.startsWith('nv_'))}

## The same counters under Triton's names

Dashboards made for Triton read these; times are microseconds, added up. \`DEADLINE\` is a reason of our own. \`ModelStatistics\` and
\`/v2/models/stats\` tell the same numbers.

${table(({ name }) => name.startsWith('nv_'))}

# Metrics of the trainer

On \`/metrics\` of \`trainer work\`; its own process's metrics besides.

${tableOf(familiesOf(trainer))}

# Metrics of the gateway

On \`/metrics\` of its operations port; its own process's metrics besides. What they tell of subgraphs, cache and supergraph:
[running the gateway](../guides/gateway-operations.md).

${tableOf(familiesOf(gateway))}

# Metrics of each subgraph's streams

On \`/metrics\` of its operations port, beside what the subgraph tells of its own work.

${tableOf(familiesOf(subgraph))}
`;

if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (readFileSync(page, 'utf8') !== text) {
  console.error('docs/reference/metrics.md is stale: run npm run metrics and commit it.');
  process.exit(1);
}
