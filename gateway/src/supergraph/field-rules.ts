import type { AccessRule } from '@sextant/domain';
import { accessRulesOf } from '@sextant/platform';
import {
  type FieldDefinitionNode,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type TypeDefinitionNode,
} from 'graphql';

type FieldRules = Map<string, readonly AccessRule[]>;
type Composite = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode;

/**
 * What each `Type.field` demands: the rules of the field, of its type and of what it returns. A field selected on an interface
 * needs what it needs on any type behind it; one that only the interface protects is protected on every type behind it.
 */
export function fieldRules(types: readonly TypeDefinitionNode[]): FieldRules {
  const composites = types.filter(isComposite);
  const declared = declaredRules(types, composites);
  const rules: FieldRules = new Map(declared);
  for (const { own, above } of inheritances(composites)) add(rules, above, declared.get(own) ?? []);
  const isOnlyAbove = new Set(declared.keys());
  for (const { own, above } of inheritances(composites)) if (declared.has(own)) isOnlyAbove.delete(above);
  for (const { own, above } of inheritances(composites)) {
    if (isOnlyAbove.has(above)) add(rules, own, declared.get(above) ?? []);
  }
  return rules;
}

/** Each field of a type with the same field of an interface of the type. */
function inheritances(composites: readonly Composite[]): { own: string; above: string }[] {
  return composites.flatMap((type) =>
    (type.fields ?? []).flatMap((field) =>
      (type.interfaces ?? []).map(({ name }) => ({
        own: `${type.name.value}.${field.name.value}`,
        above: `${name.value}.${field.name.value}`,
      })),
    ),
  );
}

function declaredRules(types: readonly TypeDefinitionNode[], composites: readonly Composite[]): FieldRules {
  const ofType = new Map(types.map((type) => [type.name.value, accessRulesOf(type.directives)]));
  const rules: FieldRules = new Map();
  for (const type of composites) {
    for (const field of type.fields ?? []) {
      add(rules, `${type.name.value}.${field.name.value}`, [
        ...(ofType.get(type.name.value) ?? []),
        ...accessRulesOf(field.directives),
        ...(ofType.get(outputOf(field)) ?? []),
      ]);
    }
  }
  return rules;
}

function add(rules: FieldRules, coordinate: string, further: readonly AccessRule[]): void {
  const known = rules.get(coordinate) ?? [];
  const distinct = new Map([...known, ...further].map((rule) => [JSON.stringify(rule), rule]));
  if (distinct.size > known.length) rules.set(coordinate, [...distinct.values()]);
}

function outputOf({ type }: FieldDefinitionNode): string {
  let output = type;
  while (output.kind !== Kind.NAMED_TYPE) output = output.type;
  return output.name.value;
}

function isComposite(type: TypeDefinitionNode): type is Composite {
  return type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION;
}
