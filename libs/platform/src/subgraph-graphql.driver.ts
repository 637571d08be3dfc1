import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer';
import { ApolloFederationDriver, type ApolloFederationDriverConfig } from '@nestjs/apollo';
import { Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { GraphQLSchema } from 'graphql';
import { resolveEntitiesTogether } from './entity-resolution.js';
import { LocalGateway } from './execution/local-gateway.js';
import { resolveNodeIds } from './node-ids.js';
import { callFieldsPlainly } from './plain-resolvers.js';
import { enforceScopes } from './scope-enforcement.js';

/**
 * Nest's federation driver with the schema made as plain as graphql-js likes it and scopes enforced on top. Apollo Server is
 * started and not mounted: {@link SubgraphHttpAdapter} hands it its requests.
 */
@Injectable()
export class SubgraphGraphqlDriver extends ApolloFederationDriver {
  @Inject(ModulesContainer) private readonly modules!: ModulesContainer;
  @Inject(ApplicationConfig) private readonly application!: ApplicationConfig;

  protected readonly unstatedRoots: 'refused' | 'open' = 'refused';

  override async generateSchema(options: ApolloFederationDriverConfig): Promise<GraphQLSchema> {
    const schema = await super.generateSchema(options);
    if (this.application.getGlobalPipes().length === 0) callFieldsPlainly(schema, this.instances());
    return enforceScopes(resolveEntitiesTogether(resolveNodeIds(schema)), this.unstatedRoots);
  }

  protected override async registerExpress(options: ApolloFederationDriverConfig): Promise<void> {
    const httpServer = this.httpAdapterHost.httpAdapter.getHttpServer();
    const plugins = [...(options.plugins ?? []), ApolloServerPluginDrainHttpServer({ httpServer })];
    // Without `@cacheControl` in the schema the plugin would look at each resolved field for nothing.
    if (!options.schema?.getDirective('cacheControl')) plugins.push(ApolloServerPluginCacheControlDisabled());
    const { schema, ...others } = options;
    const executed = schema ? { gateway: new LocalGateway(schema) } : {};
    this.apolloServer = new ApolloServer({ ...others, ...executed, plugins } as ConstructorParameters<
      typeof ApolloServer
    >[0]);
    await this.apolloServer.start();
  }

  private *instances(): Iterable<object> {
    for (const module of this.modules.values()) {
      for (const wrapper of module.providers.values()) {
        if (wrapper.isDependencyTreeStatic() && wrapper.instance instanceof Object) yield wrapper.instance;
      }
    }
  }
}

/** The same for a schema that is not ours, whose root fields do not state who may ask: a public suite's, say. */
@Injectable()
export class OpenSubgraphGraphqlDriver extends SubgraphGraphqlDriver {
  protected override readonly unstatedRoots = 'open';
}
