import { DomainError } from '@sextant/domain';
import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  parse,
  type TypeDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';

/** OR of ANDs, as in `@requiresScopes(scopes: [["a", "b"], ["c"]])`. */
export type ScopeRule = readonly (readonly string[])[];

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
  rules: ReadonlyMap<string, readonly ScopeRule[]>;
}

/** Security specifications whose directives {@link Supergraph.rules} enforces; `@authenticated` holds for every request here. */
const ENFORCED = /^https:\/\/specs\.apollo\.dev\/(requiresScopes|authenticated)\/v0\.1$/;

/**
 * Reads a composed supergraph.
 *
 * @throws DomainError CONFIG_INVALID when it holds a security directive that nothing here enforces, or a root field that
 *         states no rule, so that nothing is served unprotected by accident
 */
export function readSupergraph(sdl: string): Supergraph {
  const document = parse(sdl);
  const unenforced = securityLinksOf(document).filter((url) => !ENFORCED.test(url));
  if (unenforced.length > 0) {
    throw new DomainError(
      'CONFIG_INVALID',
      `the supergraph uses ${unenforced.join(', ')}, which this gateway does not enforce: take it out of the subgraphs`,
    );
  }
  const rules = rulesOf(
    document.definitions.filter(
      (node): node is TypeDefinitionNode => 'name' in node && node.kind.endsWith('TypeDefinition'),
    ),
  );
  const open = rootFieldsOf(document).filter((coordinate) => !rules.has(coordinate));
  if (open.length > 0)
    throw new DomainError('CONFIG_INVALID', `${open.join(', ')} must state @requiresScopes`);
  return { sdl, subgraphs: subgraphsOf(document), rules };
}

function securityLinksOf(document: DocumentNode): string[] {
  const links = document.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
      ? (node.directives ?? [])
      : [],
  );
  return links
    .filter(({ name }) => name.value === 'link')
    .filter((link) => argumentOf(link, 'for') === 'SECURITY')
    .map((link) => String(argumentOf(link, 'url')));
}

function rulesOf(types: readonly TypeDefinitionNode[]): Map<string, ScopeRule[]> {
  const ofType = new Map(types.map((type) => [type.name.value, ruleOf(type.directives)]));
  const rules = new Map<string, ScopeRule[]>();
  for (const type of types) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue;
    for (const field of type.fields ?? []) {
      let output = field.type;
      while (output.kind !== Kind.NAMED_TYPE) output = output.type;
      const found = [ofType.get(type.name.value), ruleOf(field.directives), ofType.get(output.name.value)];
      const own = found.filter((rule) => rule !== undefined && rule !== null);
      if (own.length > 0) rules.set(`${type.name.value}.${field.name.value}`, own);
    }
  }
  return withImplementations(types, rules);
}

/** A field selected on an interface needs what it needs on any type behind it. */
function withImplementations(
  types: readonly TypeDefinitionNode[],
  rules: Map<string, ScopeRule[]>,
): Map<string, ScopeRule[]> {
  const inherited = new Map(rules);
  for (const type of types) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION) continue;
    for (const { name } of type.interfaces ?? []) {
      for (const field of type.fields ?? []) {
        const own = rules.get(`${type.name.value}.${field.name.value}`) ?? [];
        const coordinate = `${name.value}.${field.name.value}`;
        if (own.length > 0) inherited.set(coordinate, [...(inherited.get(coordinate) ?? []), ...own]);
      }
    }
  }
  return inherited;
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

function ruleOf(directives: readonly ConstDirectiveNode[] | undefined): ScopeRule | null {
  const directive = directives?.find(({ name }) => name.value === 'requiresScopes');
  return directive ? (argumentOf(directive, 'scopes') as ScopeRule) : null;
}

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const argument = directive.arguments?.find((candidate) => candidate.name.value === name);
  return argument && valueFromASTUntyped(argument.value);
}
