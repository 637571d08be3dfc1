import { type AccessRule, DomainError, unknownPolicies } from '@sextant/domain';
import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  type TypeDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';
import { fieldRules } from './field-rules.js';
import { unenforcedDirectives } from './security-directives.js';

/** One of the subgraphs that a supergraph was composed from. */
export interface SubgraphSite {
  name: string;
  /** its value of the enum `join__Graph`, as plans name it */
  graph: string;
  /** as composed; ours stand for a setting of the gateway and end in `.invalid` */
  url: string;
}

/** The composed graph and who may see what of it. */
export interface Supergraph {
  sdl: string;
  subgraphs: readonly SubgraphSite[];
  /** by `Type.field`; all rules of a coordinate must hold */
  rules: ReadonlyMap<string, readonly AccessRule[]>;
}

/**
 * Reads a composed supergraph.
 *
 * @param options.isOpen  nothing is protected, which the operator has to ask for: rules are neither demanded nor enforced
 * @throws DomainError CONFIG_INVALID when it holds a security directive that nothing here enforces, a policy that is not
 *         defined, or a root field that states no rule, so that nothing is served unprotected by accident
 */
export function readSupergraph(sdl: string, options: { isOpen?: boolean } = {}): Supergraph {
  const document = parseSdl(sdl);
  const subgraphs = subgraphsOf(document);
  if (options.isOpen) return { sdl, subgraphs, rules: new Map() };
  const unenforced = unenforcedDirectives(document);
  if (unenforced.length > 0) {
    throw invalid(
      `the supergraph uses ${unenforced.join(', ')}, which this gateway does not enforce: take it out of the subgraphs`,
    );
  }
  const rules = rulesOf(document);
  for (const [coordinate, demanded] of rules) {
    const unknown = demanded.flatMap(unknownPolicies);
    if (unknown.length > 0)
      throw invalid(`${coordinate} names the policy ${unknown.join(', ')}, which is not defined`);
  }
  const open = rootFieldsOf(document).filter((coordinate) => !rules.has(coordinate));
  if (open.length > 0) throw invalid(`${open.join(', ')} must state @requiresScopes`);
  return { sdl, subgraphs, rules };
}

function rulesOf(document: DocumentNode): ReadonlyMap<string, readonly AccessRule[]> {
  const types = document.definitions.filter(
    (node): node is TypeDefinitionNode => 'name' in node && node.kind.endsWith('TypeDefinition'),
  );
  try {
    return fieldRules(types);
  } catch (cause) {
    throw invalid(`the supergraph holds a rule that cannot be read: ${String(cause)}`);
  }
}

function parseSdl(sdl: string): DocumentNode {
  try {
    return parse(sdl);
  } catch (cause) {
    throw new DomainError('CONFIG_INVALID', `the supergraph is no GraphQL: ${String(cause).slice(0, 200)}`, {
      cause,
    });
  }
}

function invalid(message: string): DomainError {
  return new DomainError('CONFIG_INVALID', message);
}

function rootFieldsOf(document: DocumentNode): string[] {
  return document.definitions.flatMap((node) => {
    const isRoot =
      node.kind === Kind.OBJECT_TYPE_DEFINITION &&
      ['Query', 'Mutation', 'Subscription'].includes(node.name.value);
    return isRoot ? (node.fields ?? []).map((field) => `${node.name.value}.${field.name.value}`) : [];
  });
}

function subgraphsOf(document: DocumentNode): SubgraphSite[] {
  const graphs = document.definitions.find(
    (node) => node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === 'join__Graph',
  );
  const values = graphs?.kind === Kind.ENUM_TYPE_DEFINITION ? (graphs.values ?? []) : [];
  return values.flatMap(({ name, directives }) =>
    (directives ?? []).map((graph) => ({
      name: String(argumentOf(graph, 'name')),
      graph: name.value,
      url: String(argumentOf(graph, 'url') ?? ''),
    })),
  );
}

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const argument = directive.arguments?.find((candidate) => candidate.name.value === name);
  return argument && valueFromASTUntyped(argument.value);
}
