import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServices } from '@apollo/composition';
import { freePort } from '@sextant/local-services';
import { createLogger, startSubgraph } from '@sextant/platform';
import { parse } from 'graphql';
import { Registry } from 'prom-client';
import type { TestProject } from 'vitest/node';
import { endProcess } from '../../contract/graph-processes.js';
import { startGatewayProcess } from '../gateway-process.js';
import { compatibilitySuite } from './compatibility-suite.js';
import { ProductsModule } from './products.module.js';

const SECRET = 'the secret of the products subgraph';

declare module 'vitest' {
  interface ProvidedContext {
    suite: { router: string; products: string; secret: string };
  }
}

/** The suite's supergraph: its own users and inventory, our products, and our gateway in the place of its router. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const ends: (() => Promise<unknown>)[] = [];
  const teardown = async (): Promise<void> => {
    await Promise.all(ends.map((end) => end()));
  };
  await start(project, ends).catch((error: unknown) => teardown().then(() => Promise.reject(error)));
  return teardown;
}

async function start(project: TestProject, ends: (() => Promise<unknown>)[]): Promise<void> {
  const suite = compatibilitySuite();
  const folder = await mkdtemp(join(tmpdir(), 'sextant-compatibility-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const users = await startOfSuite(suite, 'users', ends);
  const inventory = await startOfSuite(suite, 'inventory', ends);
  const schema = join(suite, 'products.graphql');
  const products = await startProducts(schema);
  ends.push(() => products.close());
  const sdl = (name: string) => readFile(join(suite, `dist/subgraphs/${name}/${name}.graphql`), 'utf8');
  const supergraph = compose({
    users: { url: users, sdl: await sdl('users') },
    inventory: { url: inventory, sdl: await sdl('inventory') },
    products: { url: products.url, sdl: await readFile(schema, 'utf8') },
  });
  await writeFile(join(folder, 'supergraph.graphql'), supergraph);
  const gateway = await startGatewayProcess({
    SUPERGRAPH_PATH: join(folder, 'supergraph.graphql'),
    SUBGRAPH_SECRETS: `products=${SECRET}`,
    SEXTANT_OPEN_ACCESS: 'I-know-this-is-insecure',
  });
  ends.push(() => gateway.stop());
  project.provide('suite', { router: gateway.url, products: products.url, secret: SECRET });
}

function startProducts(schema: string) {
  return startSubgraph(
    {
      name: 'products',
      module: ProductsModule.over(schema),
      registry: new Registry(),
      logger: createLogger('products', 'error'),
      checks: () => [],
    },
    {
      ...{ PORT: 0, METRICS_PORT: 0, HOST: '127.0.0.1', LOG_LEVEL: 'error' },
      ...{ SEXTANT_SIGNING_SECRET: SECRET, SEXTANT_SIGNATURE_MAX_AGE_MS: 30_000 },
      ...{ MONGODB_URI: 'mongodb://nothing.invalid', MONGODB_TIMEOUT_MS: 1_000 },
    },
  );
}

/** A subgraph that the suite brings itself; tells its URL. */
async function startOfSuite(
  suite: string,
  name: 'users' | 'inventory',
  ends: (() => Promise<unknown>)[],
): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, ['index.js'], {
    cwd: join(suite, 'dist/subgraphs', name),
    env: { ...process.env, [`${name.toUpperCase()}_PORT`]: String(port) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  ends.push(() => endProcess(child));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('ready at')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`${name} of the suite ended with ${code}`)));
  });
  return `http://127.0.0.1:${port}/`;
}

function compose(subgraphs: Record<string, { url: string; sdl: string }>): string {
  const services = Object.entries(subgraphs).map(([name, { url, sdl }]) => ({
    name,
    url,
    typeDefs: parse(sdl),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}
