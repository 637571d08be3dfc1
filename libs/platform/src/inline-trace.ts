import type { ApolloServerPlugin, BaseContext } from '@apollo/server';
import { ApolloServerPluginInlineTrace } from '@apollo/server/plugin/inlineTrace';

/**
 * Federated tracing (`ftv1`): times of the fields of a request, for a router that asks for them. Errors in it are masked. Apollo's plugin
 * itself begins a trace for each request, before it knows whether one is wanted; this one only where it is.
 */
export function inlineTraceOnDemand(): ApolloServerPlugin<BaseContext> {
  const plugin = ApolloServerPluginInlineTrace({ includeErrors: { masked: true } });
  return {
    async requestDidStart(request) {
      const wanted = request.request.http?.headers.get('apollo-federation-include-trace') === 'ftv1';
      return wanted ? plugin.requestDidStart?.(request) : undefined;
    },
  };
}
