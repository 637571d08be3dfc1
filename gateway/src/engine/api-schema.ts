import {
  buildASTSchema,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  Kind,
  type NamedTypeNode,
  valueFromASTUntyped,
} from 'graphql';

/** Directives of the type system that clients may see. */
const PUBLIC_DIRECTIVES = new Set(['deprecated', 'specifiedBy', 'oneOf']);
const EXECUTABLE_LOCATIONS = new Set([
  'QUERY',
  'MUTATION',
  'SUBSCRIPTION',
  'FIELD',
  'FRAGMENT_DEFINITION',
  'FRAGMENT_SPREAD',
  'INLINE_FRAGMENT',
  'VARIABLE_DEFINITION',
]);

/** Names of object types by the name of the type that they are possible for. */
export type PossibleTypes = ReadonlyMap<string, ReadonlySet<string>>;

/** A specification that the supergraph links, as the supergraph calls it. */
interface Feature {
  url: string;
  /** its own directive, and the prefix `<name>__` of its other names */
  name: string;
}

/**
 * The schema that clients see: the supergraph without what is `@inaccessible` and without the types and directives that
 * only composition needs.
 */
export function apiSchemaOf(supergraph: DocumentNode): GraphQLSchema {
  const features = featuresOf(supergraph);
  const inaccessible = features.find(({ url }) => url.includes('/inaccessible/'))?.name ?? 'inaccessible';
  const internal = new Set(features.map(({ name }) => name));
  const visible = supergraph.definitions.filter((node) => isPublic(node, { internal, inaccessible }));
  const names = new Set(visible.map(nameOf));
  const filter = new Filter(inaccessible, names);
  const definitions = visible.map((node) => filter.definition(node));
  return buildASTSchema({ kind: Kind.DOCUMENT, definitions }, { assumeValid: true, assumeValidSDL: true });
}

/** Which object types each name stands for; also of what clients do not see, since plans speak of it. */
export function possibleTypesOf(supergraph: DocumentNode): PossibleTypes {
  const possible = new Map<string, Set<string>>();
  const add = (name: string, member: string): void => {
    possible.set(name, (possible.get(name) ?? new Set([name])).add(member));
  };
  for (const node of supergraph.definitions) {
    if (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION) {
      add(node.name.value, node.name.value);
      for (const { name } of node.interfaces ?? []) add(name.value, node.name.value);
    }
    if (node.kind === Kind.UNION_TYPE_DEFINITION)
      for (const { name } of node.types ?? []) add(node.name.value, name.value);
  }
  return possible;
}

function featuresOf(supergraph: DocumentNode): Feature[] {
  return supergraph.definitions
    .flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
        ? (node.directives ?? [])
        : [],
    )
    .filter(({ name }) => name.value === 'link' || name.value === 'core')
    .map((link) => {
      const url = String(argumentOf(link, 'url') ?? argumentOf(link, 'feature') ?? '');
      return { url, name: String(argumentOf(link, 'as') ?? url.split('/').at(-2) ?? '') };
    });
}

function isPublic(
  node: DefinitionNode,
  { internal, inaccessible }: { internal: ReadonlySet<string>; inaccessible: string },
): boolean {
  const name = nameOf(node);
  if (node.kind === Kind.DIRECTIVE_DEFINITION) {
    return (
      !internal.has(name) &&
      !internal.has(featureOf(name)) &&
      node.locations.some(({ value }) => EXECUTABLE_LOCATIONS.has(value))
    );
  }
  if (internal.has(featureOf(name))) return false;
  return !('directives' in node && has(node.directives as readonly ConstDirectiveNode[], inaccessible));
}

/** `join` of `join__Graph`; empty when the name has no such prefix. */
function featureOf(name: string): string {
  const at = name.indexOf('__');
  return at > 0 ? name.slice(0, at) : '';
}

function nameOf(node: DefinitionNode): string {
  return 'name' in node && node.name ? node.name.value : '';
}

function has(directives: readonly ConstDirectiveNode[] | undefined, name: string): boolean {
  return directives?.some((directive) => directive.name.value === name) ?? false;
}

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const argument = directive.arguments?.find((candidate) => candidate.name.value === name);
  return argument && valueFromASTUntyped(argument.value);
}

interface WithDirectives {
  readonly directives?: readonly ConstDirectiveNode[] | undefined;
}

/** Takes the parts that clients may not see out of a definition. */
class Filter {
  /** @param names  the types that stay */
  constructor(
    private readonly inaccessible: string,
    private readonly names: ReadonlySet<string>,
  ) {}

  definition(node: DefinitionNode): DefinitionNode {
    switch (node.kind) {
      case Kind.SCHEMA_DEFINITION:
        return {
          ...this.bare(node),
          operationTypes: node.operationTypes.filter(({ type }) => this.knows(type)),
        };
      case Kind.OBJECT_TYPE_DEFINITION:
      case Kind.INTERFACE_TYPE_DEFINITION: {
        const fields = this.visible(node.fields).map((field) => ({
          ...field,
          arguments: this.visible(field.arguments),
        }));
        return {
          ...this.bare(node),
          interfaces: (node.interfaces ?? []).filter((type) => this.knows(type)),
          fields,
        };
      }
      case Kind.UNION_TYPE_DEFINITION:
        return { ...this.bare(node), types: (node.types ?? []).filter((type) => this.knows(type)) };
      case Kind.ENUM_TYPE_DEFINITION:
        return { ...this.bare(node), values: this.visible(node.values) };
      case Kind.INPUT_OBJECT_TYPE_DEFINITION:
        return { ...this.bare(node), fields: this.visible(node.fields) };
      case Kind.SCALAR_TYPE_DEFINITION:
        return this.bare(node);
      default:
        return node;
    }
  }

  private visible<T extends WithDirectives>(nodes: readonly T[] | undefined): T[] {
    return (nodes ?? [])
      .filter((node) => !has(node.directives, this.inaccessible))
      .map((node) => this.bare(node));
  }

  private bare<T extends WithDirectives>(node: T): T {
    return {
      ...node,
      directives: (node.directives ?? []).filter(({ name }) => PUBLIC_DIRECTIVES.has(name.value)),
    };
  }

  private knows(type: NamedTypeNode): boolean {
    return this.names.has(type.name.value);
  }
}
