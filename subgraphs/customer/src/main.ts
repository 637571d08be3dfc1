import { loadConfig, processTracing, runProcess } from '@sextant/platform';
import { customerConfig, startCustomerSubgraph } from './customer-subgraph.js';

runProcess('customer', async () =>
  startCustomerSubgraph(loadConfig(customerConfig, process.env), {
    tracing: await processTracing('customer', process.env),
  }),
);
