import { fileURLToPath } from 'node:url';
import { loadConfig, processTracing, runProcess } from '@sextant/platform';
import { startGateway } from './gateway.js';
import { gatewayConfig } from './gateway.config.js';
import { withOpenAccess } from './identity/open-access.js';

const SUPERGRAPH_PATH = fileURLToPath(new URL('../supergraph.graphql', import.meta.url));

runProcess('gateway', async () =>
  startGateway(
    loadConfig(gatewayConfig, withOpenAccess({ SUPERGRAPH_PATH, ...process.env })),
    await processTracing('gateway', process.env),
  ),
);
