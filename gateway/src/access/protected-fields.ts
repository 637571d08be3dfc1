import type { AccessRule } from '@sextant/domain';
import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** `@skip` or `@include` on a selection or around it. */
export interface Condition {
  /** name of the deciding variable, or the literal */
  on: string | boolean;
  includedWhen: boolean;
}

export interface ProtectedField {
  coordinate: string;
  /** under which the field is selected, one entry for each place; selected always where one is empty */
  places: readonly (readonly Condition[])[];
}

type Rules = ReadonlyMap<string, readonly AccessRule[]>;

/** What one operation or fragment selects itself. */
interface Selections {
  fields: { coordinate: string; conditions: readonly Condition[] }[];
  spreads: { fragment: string; conditions: readonly Condition[] }[];
}

/** Conditions of one field that are told apart; with more, it counts as selected always. */
const MAX_PLACES = 64;

/**
 * The fields under a rule that an operation selects, through its fragments, each once.
 *
 * @param rules  by `Type.field`
 */
export function protectedFields(
  {
    schema,
    document,
    operation,
  }: { schema: GraphQLSchema; document: DocumentNode; operation: OperationDefinitionNode },
  rules: Rules,
): ProtectedField[] {
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, selectionsOf(schema, node, rules)]),
  );
  const found = new Map<string, (readonly Condition[])[]>();
  const queue: { selections: Selections | undefined; around: readonly Condition[] }[] = [
    { selections: selectionsOf(schema, operation, rules), around: [] },
  ];
  const seen = new Set<string>();
  for (const { selections, around } of queue) {
    for (const { coordinate, conditions } of selections?.fields ?? []) {
      const places = found.get(coordinate) ?? [];
      found.set(coordinate, [...(places.length < MAX_PLACES ? places : [[]]), [...around, ...conditions]]);
    }
    for (const { fragment, conditions } of selections?.spreads ?? []) {
      const inside = [...around, ...conditions];
      const key = `${fragment} ${JSON.stringify(inside)}`;
      if (seen.has(key)) continue;
      // A document can nest fragments under ever new conditions; beyond a bound, what is inside counts as selected always.
      const isMany = seen.size >= MAX_PLACES * 16;
      if (isMany && seen.has(`${fragment} []`)) continue;
      seen.add(isMany ? `${fragment} []` : key);
      queue.push({ selections: fragments.get(fragment), around: isMany ? [] : inside });
    }
  }
  return [...found].map(([coordinate, places]) => ({ coordinate, places }));
}

/** Whether the variables leave a field in at one of its places. */
export function isSelected(
  { places }: ProtectedField,
  variables: Readonly<Record<string, unknown>>,
): boolean {
  return places.some((conditions) =>
    conditions.every(({ on, includedWhen }) => {
      const value = typeof on === 'boolean' ? on : variables[on];
      return typeof value !== 'boolean' || value === includedWhen;
    }),
  );
}

function selectionsOf(
  schema: GraphQLSchema,
  definition: OperationDefinitionNode | FragmentDefinitionNode,
  rules: Rules,
): Selections {
  const found: Selections = { fields: [], spreads: [] };
  const around: Condition[][] = [];
  const enter = (directives: readonly DirectiveNode[] | undefined): Condition[] => {
    around.push(conditionsOf(directives));
    return around.flat();
  };
  const leave = (): void => void around.pop();
  const types = new TypeInfo(schema);
  visit(
    definition,
    visitWithTypeInfo(types, {
      Field: {
        enter: (node) => {
          const conditions = enter(node.directives);
          const coordinate = `${types.getParentType()?.name}.${node.name.value}`;
          if (rules.has(coordinate)) found.fields.push({ coordinate, conditions });
        },
        leave,
      },
      InlineFragment: { enter: (node) => void enter(node.directives), leave },
      FragmentSpread: {
        enter: (node) =>
          void found.spreads.push({ fragment: node.name.value, conditions: enter(node.directives) }),
        leave,
      },
    }),
  );
  return found;
}

function conditionsOf(directives: readonly DirectiveNode[] | undefined): Condition[] {
  return (directives ?? []).flatMap(({ name, arguments: given }): Condition[] => {
    const value = given?.find((argument) => argument.name.value === 'if')?.value;
    if (!value || (name.value !== 'skip' && name.value !== 'include')) return [];
    const includedWhen = name.value === 'include';
    if (value.kind === Kind.BOOLEAN) return [{ on: value.value, includedWhen }];
    return value.kind === Kind.VARIABLE ? [{ on: value.name.value, includedWhen }] : [];
  });
}
