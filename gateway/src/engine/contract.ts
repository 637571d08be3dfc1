import {
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type TypeDefinitionNode,
  type TypeNode,
  valueFromASTUntyped,
} from 'graphql';

const BUILT_IN = ['ID', 'String', 'Int', 'Float', 'Boolean'];

/**
 * The part of a supergraph that is tagged: fields, arguments, fields of inputs and values of enums that carry the tag themselves, and
 * the types that they make up. What is not tagged is not there; a tag on an object opens none of its fields. Where nothing is tagged a `Query`
 * without fields is left, so that every question is refused.
 */
export function contractOf(supergraph: DocumentNode, tag: string): DocumentNode {
  const tagged = supergraph.definitions.map((node) => onlyTagged(node, tag));
  let definitions = tagged;
  for (;;) {
    const known = new Set([...BUILT_IN, ...definitions.filter(isInhabited).map(({ name }) => name.value)]);
    const next = definitions.map((node) => onlyKnown(node, known));
    if (sizeOf(next) === sizeOf(definitions)) break;
    definitions = next;
  }
  const used = usedScalars(definitions);
  const left = definitions.filter((node) => {
    if (!isType(node) || isInternal(node)) return true;
    return node.kind === Kind.SCALAR_TYPE_DEFINITION ? used.has(node.name.value) : isInhabited(node);
  });
  return { ...supergraph, definitions: [...left, ...(left.some(isQuery) ? [] : [emptyQuery(supergraph)])] };
}

function onlyTagged(node: DefinitionNode, tag: string): DefinitionNode {
  const isOpen = ({ directives }: { directives?: readonly ConstDirectiveNode[] | undefined }): boolean =>
    directives?.some(({ name, arguments: args }) => {
      const value = args?.find((argument) => argument.name.value === 'name')?.value;
      return name.value === 'tag' && value !== undefined && valueFromASTUntyped(value) === tag;
    }) ?? false;
  if (isInternal(node)) return node;
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const fields = (node.fields ?? []).filter(isOpen).filter((field) => !needsOther(field, isOpen));
      return {
        ...node,
        fields: fields.map((field) => ({ ...field, arguments: field.arguments?.filter(isOpen) ?? [] })),
      };
    }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return { ...node, fields: node.fields?.filter(isOpen) ?? [] };
    case Kind.ENUM_TYPE_DEFINITION:
      return { ...node, values: node.values?.filter(isOpen) ?? [] };
    default:
      return node;
  }
}

/** A field that cannot be asked for without an argument that is not open. */
function needsOther(
  { arguments: args }: FieldDefinitionNode,
  isOpen: (argument: InputValueDefinitionNode) => boolean,
): boolean {
  return (args ?? []).some(
    (argument) =>
      argument.type.kind === Kind.NON_NULL_TYPE && argument.defaultValue === undefined && !isOpen(argument),
  );
}

/** Without fields, arguments and members of types that nothing is left of. */
function onlyKnown(node: DefinitionNode, known: ReadonlySet<string>): DefinitionNode {
  const isKnown = ({ type }: { type: TypeNode }): boolean => known.has(namedOf(type));
  if (isInternal(node)) return node;
  switch (node.kind) {
    case Kind.OBJECT_TYPE_DEFINITION:
    case Kind.INTERFACE_TYPE_DEFINITION: {
      const fields = (node.fields ?? []).filter(isKnown).map((field) => ({
        ...field,
        arguments: field.arguments?.filter(isKnown) ?? [],
      }));
      return {
        ...node,
        fields,
        interfaces: node.interfaces?.filter(({ name }) => known.has(name.value)) ?? [],
      };
    }
    case Kind.INPUT_OBJECT_TYPE_DEFINITION:
      return { ...node, fields: node.fields?.filter(isKnown) ?? [] };
    case Kind.UNION_TYPE_DEFINITION:
      return { ...node, types: node.types?.filter(({ name }) => known.has(name.value)) ?? [] };
    default:
      return node;
  }
}

function usedScalars(definitions: readonly DefinitionNode[]): Set<string> {
  const types = definitions.filter(isType).filter((node) => !isInternal(node));
  const fields = types.flatMap((node): readonly { type: TypeNode }[] =>
    'fields' in node ? (node.fields ?? []) : [],
  );
  const args = types.flatMap((node) =>
    node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? (node.fields ?? []).flatMap((field) => field.arguments ?? [])
      : [],
  );
  return new Set([...fields, ...args].map(({ type }) => namedOf(type)));
}

function isInhabited(node: DefinitionNode): node is TypeDefinitionNode {
  if (!isType(node)) return false;
  if ('fields' in node) return (node.fields?.length ?? 0) > 0;
  if ('values' in node) return (node.values?.length ?? 0) > 0;
  if ('types' in node) return (node.types?.length ?? 0) > 0;
  return true;
}

function isType(node: DefinitionNode): node is TypeDefinitionNode {
  return 'name' in node && node.kind.endsWith('TypeDefinition');
}

/** A type that only composition needs, e.g. `join__Graph`. */
function isInternal(node: DefinitionNode): boolean {
  return isType(node) && node.name.value.includes('__');
}

function isQuery(node: DefinitionNode): boolean {
  return isType(node) && node.name.value === 'Query';
}

function emptyQuery(supergraph: DocumentNode): ObjectTypeDefinitionNode {
  const root = supergraph.definitions.find(isQuery);
  const description = root && 'description' in root ? root.description : undefined;
  const name = { kind: Kind.NAME, value: 'Query' } as const;
  return { kind: Kind.OBJECT_TYPE_DEFINITION, name, ...(description && { description }), fields: [] };
}

function namedOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedOf(type.type);
}

/** How much there is; the filter is done when it takes nothing more. */
function sizeOf(definitions: readonly DefinitionNode[]): number {
  return definitions.reduce((sum, node) => {
    if (!isType(node)) return sum;
    const interfaces = 'interfaces' in node ? (node.interfaces?.length ?? 0) : 0;
    const fields = 'fields' in node ? (node.fields ?? []) : [];
    const args = fields.reduce(
      (n, field) => n + ('arguments' in field ? (field.arguments?.length ?? 0) : 0),
      0,
    );
    const members = 'types' in node ? (node.types?.length ?? 0) : 0;
    return sum + interfaces + fields.length + args + members;
  }, 0);
}
