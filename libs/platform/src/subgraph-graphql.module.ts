import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import type { IResolvers } from '@graphql-tools/utils';
import type { ApolloFederationDriverConfig } from '@nestjs/apollo';
import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { GraphQLScalarType } from 'graphql';
import { graphqlErrorFormatter } from './graphql-error.js';
import { inlineTraceOnDemand } from './inline-trace.js';
import type { Logger } from './logger.js';
import { dateTimeScalar, jsonScalar } from './scalars.js';
import { OpenSubgraphGraphqlDriver, SubgraphGraphqlDriver } from './subgraph-graphql.driver.js';

/**
 * Apollo Server as a federated subgraph, schema first, with the rules every subgraph of ours keeps.
 *
 * @param options.typePaths  absolute glob of `schema/*.graphql`
 * @param options.resolvers  resolvers that are no Nest classes, e.g. `{ Decision: { __resolveType } }`
 * @param options.scalars    what the schema declares of our scalars; all by default
 * @param options.unstatedRoots  open: root fields that state no scopes are served; refused by default
 */
export function subgraphGraphqlModule(options: {
  typePaths: string[];
  resolvers?: Record<string, unknown>;
  scalars?: Record<string, GraphQLScalarType>;
  unstatedRoots?: 'refused' | 'open';
  logger: Logger;
}): DynamicModule {
  const scalars = options.scalars ?? { DateTime: dateTimeScalar, JSON: jsonScalar };
  return GraphQLModule.forRoot<ApolloFederationDriverConfig>({
    driver: options.unstatedRoots === 'open' ? OpenSubgraphGraphqlDriver : SubgraphGraphqlDriver,
    typePaths: options.typePaths,
    resolvers: { ...scalars, ...options.resolvers } as IResolvers,
    inheritResolversFromInterfaces: false,
    playground: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: false, // a browser has no signature to send
    plugins: [ApolloServerPluginInlineTraceDisabled(), inlineTraceOnDemand()],
    formatError: graphqlErrorFormatter((error) =>
      options.logger.error({ err: error }, 'unexpected error in a resolver'),
    ),
  });
}
