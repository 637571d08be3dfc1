import { join } from 'node:path';
import { graphiqlTabsPath } from './graphiql-tabs.js';
import { AUDIENCE, ISSUER, type Keys } from './keys.js';
import type { ProcessName, Settings } from './settings.js';
import { spawnNode, type Supervised } from './supervisor.js';

const SCRIPTS: Record<ProcessName, string> = {
  worker: 'inference-worker/dist/main.js',
  customer: 'subgraphs/customer/dist/main.js',
  campaign: 'subgraphs/campaign/dist/main.js',
  prediction: 'subgraphs/prediction/dist/main.js',
  trainer: 'trainer/dist/main.js',
  gateway: 'gateway/dist/main.js',
};

export interface Environment {
  settings: Settings;
  keys: Keys;
  mongodbUri: string;
  lightGbm: string | null;
}

/** The name of the database that every process uses. */
export const DATABASE = 'sextant';

export function modelRepository(settings: Settings): string {
  return join(settings.dataDir, 'models');
}

/** All processes but mongod, in the order in which they can start. */
export function sextantProcesses(environment: Environment): Supervised[] {
  const names: ProcessName[] = ['worker', 'customer', 'campaign', 'prediction', 'trainer', 'gateway'];
  return names.map((name) => ({
    name,
    start: (onSpawn) =>
      spawnNode(join(environment.settings.repositoryRoot, SCRIPTS[name]), {
        name,
        dataDir: environment.settings.dataDir,
        env: environmentOf(name, environment),
        args: name === 'trainer' ? ['work'] : [],
        onSpawn,
      }),
    ready: () => isReady(environment.settings.ports.metrics[name]),
  }));
}

async function isReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
    signal: AbortSignal.timeout(3_000),
  });
  return response.ok;
}

function environmentOf(
  name: ProcessName,
  { settings, keys, mongodbUri, lightGbm }: Environment,
): Record<string, string> {
  const { ports } = settings;
  const store = { MONGODB_URI: mongodbUri };
  const models = { MODEL_REPOSITORY: modelRepository(settings) };
  const subgraph = { ...store, SEXTANT_SIGNING_SECRET: keys.signingSecret };
  const listening: Record<string, string> = {
    ...(name !== 'trainer' && { PORT: String(ports[name]) }),
    METRICS_PORT: String(ports.metrics[name]),
    HOST: '127.0.0.1',
  };
  const own: Record<ProcessName, Record<string, string>> = {
    worker: models,
    customer: subgraph,
    campaign: subgraph,
    prediction: {
      ...subgraph,
      ...models,
      INFERENCE_URL: `127.0.0.1:${ports.worker}`,
      CUSTOMER_URL: graphqlUrl(ports.customer),
      CAMPAIGN_URL: graphqlUrl(ports.campaign),
      SEXTANT_IMPORT_DIR: join(settings.dataDir, 'imports'),
    },
    trainer: {
      ...store,
      ...models,
      INFERENCE_URL: `127.0.0.1:${ports.worker}`,
      ...(lightGbm && { LIGHTGBM_LIBRARY: lightGbm }),
    },
    gateway: { ...store, ...gatewayEnvironment(settings, keys) },
  };
  return { NODE_ENV: 'production', ...listening, ...own[name] };
}

function gatewayEnvironment(settings: Settings, keys: Keys): Record<string, string> {
  const { ports } = settings;
  return {
    SEXTANT_SIGNING_SECRET: keys.signingSecret,
    SEXTANT_AUDIT_SECRET: keys.auditSecret,
    SEXTANT_JWKS: keys.jwksPath,
    SEXTANT_ISSUER: ISSUER,
    SEXTANT_AUDIENCE: AUDIENCE,
    CUSTOMER_URL: graphqlUrl(ports.customer),
    CAMPAIGN_URL: graphqlUrl(ports.campaign),
    PREDICTION_URL: graphqlUrl(ports.prediction),
    SEXTANT_GRAPHIQL: '1',
    SEXTANT_GRAPHIQL_SAMPLES: graphiqlTabsPath(settings),
  };
}

function graphqlUrl(port: number): string {
  return `http://127.0.0.1:${port}/graphql`;
}
