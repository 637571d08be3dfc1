// What clients see of the graph: the whole of it, and the part that is tagged for partners.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from '@apollo/federation-internals';
import { composeSchemaContract } from '@theguild/federation-composition';
import {
  buildSchema,
  GraphQLSchema,
  lexicographicSortSchema,
  printSchema,
  specifiedDirectives,
} from 'graphql';
import { ownSubgraphs, ROOT } from '../composition/subgraph-files.mjs';

/** The schema that /graphql serves, of a supergraph's SDL; the committed one by default. */
export function publicSchema(supergraphSdl = committedSupergraph()) {
  const options = { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES };
  return Supergraph.build(supergraphSdl, options).apiSchema().toGraphQLJSSchema();
}

/** The schema that /partner/graphql serves: what our subgraphs tag with `partner`. @throws Error that says what does not fit together */
export function partnerSchema() {
  const { errors, publicSdl } = composeSchemaContract(
    ownSubgraphs(),
    { include: new Set(['partner']), exclude: new Set() },
    true,
  );
  if (errors) throw new Error(errors.map(({ message }) => message).join('\n'));
  const schema = buildSchema(publicSdl, { assumeValidSDL: true });
  return new GraphQLSchema({ ...schema.toConfig(), directives: specifiedDirectives });
}

/** Sorted, so that two versions differ where they mean something else. */
export function printSorted(schema) {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

export function committedSupergraph() {
  return readFileSync(join(ROOT, 'gateway/supergraph.graphql'), 'utf8');
}
