import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import type { IResolvers } from '@graphql-tools/utils';
import { ApolloFederationDriver, type ApolloFederationDriverConfig } from '@nestjs/apollo';
import type { DynamicModule } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { GraphQLScalarType } from 'graphql';
import { graphqlErrorFormatter } from './graphql-error.js';
import type { IdentifiedRequest } from './identity.middleware.js';
import type { Logger } from './logger.js';
import { dateTimeScalar, jsonScalar } from './scalars.js';
import { enforceScopes, type RequestContext } from './scope-enforcement.js';

/**
 * Apollo Server as a federated subgraph, schema first, with the rules every subgraph of ours keeps.
 *
 * @param options.typePaths  absolute glob of `schema/*.graphql`
 * @param options.resolvers  resolvers that are no Nest classes, e.g. `{ Decision: { __resolveType } }`
 * @param options.scalars    what the schema declares of our scalars; all by default
 */
export function subgraphGraphqlModule(options: {
  typePaths: string[];
  resolvers?: Record<string, unknown>;
  scalars?: Record<string, GraphQLScalarType>;
  logger: Logger;
}): DynamicModule {
  const scalars = options.scalars ?? { DateTime: dateTimeScalar, JSON: jsonScalar };
  return GraphQLModule.forRoot<ApolloFederationDriverConfig>({
    driver: ApolloFederationDriver,
    typePaths: options.typePaths,
    resolvers: { ...scalars, ...options.resolvers } as IResolvers,
    inheritResolversFromInterfaces: false,
    playground: false,
    introspection: true,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    plugins: [ApolloServerPluginInlineTraceDisabled()],
    transformSchema: enforceScopes,
    formatError: graphqlErrorFormatter((error) =>
      options.logger.error({ err: error }, 'unexpected error in a resolver'),
    ),
    context: ({ req }: { req: IdentifiedRequest }): Partial<RequestContext> =>
      req.identity ? { identity: req.identity } : {},
  });
}
