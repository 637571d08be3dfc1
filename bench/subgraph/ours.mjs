// The same schema as one of our subgraphs: Nest classes, signature, scopes, tracing hook, drain.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { Args, Context, Parent, Query, ResolveField, ResolveReference, Resolver } from '@nestjs/graphql';
import {
  createLogger,
  loadConfig,
  startSubgraph,
  subgraphConfig,
  subgraphGraphqlModule,
} from '@sextant/platform';
import { Registry } from 'prom-client';
import { label, margin, productLoader, reportCpu, SDL } from './fixture.mjs';

const loaders = new WeakMap();
const loaderOf = (context) => loaders.get(context) ?? loaders.set(context, productLoader()).get(context);

class ProductResolver {
  product(id, context) {
    return loaderOf(context).load(id);
  }
  resolveReference({ id }, context) {
    return loaderOf(context).load(id);
  }
  label(product) {
    return label(product);
  }
  margin(product) {
    return margin(product);
  }
}
/** What TypeScript does with decorators. */
function decorate(name, method, ...parameters) {
  const { prototype } = ProductResolver;
  parameters.forEach((parameter, i) => parameter(prototype, name, i));
  method(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
}
decorate('product', Query(), Args('id'), Context());
decorate('resolveReference', ResolveReference());
decorate('label', ResolveField(), Parent());
decorate('margin', ResolveField(), Parent());
Resolver('Product')(ProductResolver);

const schema = join(mkdtempSync(join(tmpdir(), 'sextant-bench-')), 'schema.graphql');
writeFileSync(schema, SDL);
const logger = createLogger('bench', 'warn');
class BenchModule {}
Module({
  imports: [subgraphGraphqlModule({ typePaths: [schema], scalars: {}, logger })],
  providers: [ProductResolver],
})(BenchModule);

const config = loadConfig(subgraphConfig({ http: 0, metrics: 0 }), {
  ...process.env,
  MONGODB_URI: 'mongodb://unused',
});
const definition = { name: 'bench', module: BenchModule, registry: new Registry(), logger, checks: () => [] };
const { url } = await startSubgraph(definition, config);
reportCpu(url);
