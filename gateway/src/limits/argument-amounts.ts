import { type FieldNode, type GraphQLField, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { costOfInput, type InputDemand, type ListSize } from './cost-table.js';
import type { Amount, Variables } from './selection-cost.js';

/** The value of an argument, or how it follows from variables; undefined where neither document nor schema gives one. */
type ArgumentValue = { value: unknown } | { of: (variables: Variables) => unknown } | undefined;

/** Values of a field's arguments by name. */
export type ArgumentAmounts = (name: string) => ArgumentValue;

export function argumentAmounts(node: FieldNode, field: GraphQLField<unknown, unknown>): ArgumentAmounts {
  return (name) => {
    const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
    const fallback: unknown = field.args.find((argument) => argument.name === name)?.defaultValue;
    if (!given) return fallback === undefined ? undefined : { value: fallback };
    if (given.kind === Kind.VARIABLE) {
      const variable = given.name.value;
      return { of: (variables) => (Object.hasOwn(variables, variable) ? variables[variable] : fallback) };
    }
    if (!holdsVariable(given)) return { value: valueFromASTUntyped(given) };
    return { of: (variables) => valueFromASTUntyped(given, variables as Record<string, unknown>) };
  };
}

/** What the arguments of a field cost together. */
export function inputCost(demands: ReadonlyMap<string, InputDemand>, amounts: ArgumentAmounts): Amount {
  let known = 0;
  const unknown: ((variables: Variables) => number)[] = [];
  for (const [name, demand] of demands) {
    const argument = amounts(name);
    if (!argument) continue;
    if ('value' in argument) known += costOfInput(demand, argument.value);
    else unknown.push((variables) => costOfInput(demand, argument.of(variables)));
  }
  if (unknown.length === 0) return known;
  return (variables) => unknown.reduce((sum, cost) => sum + cost(variables), known);
}

/**
 * How many entries a list may have: as many as a list argument that sizes it, else the largest of its slicing arguments, else
 * the assumed size.
 *
 * @param unstated  entries where nothing of it says anything
 */
export function sizeOf(size: ListSize, amounts: ArgumentAmounts, unstated: number): Amount {
  if (size.sizedBy !== null) {
    const argument = amounts(size.sizedBy);
    if (!argument) return 0;
    if ('value' in argument) return entriesOf(argument.value);
    return (variables) => entriesOf(argument.of(variables));
  }
  const assumed = size.assumed ?? unstated;
  const slicing = size.slicing.map((name) => amounts(name)).filter((argument) => argument !== undefined);
  if (slicing.every((argument) => 'value' in argument))
    return largest(
      slicing.map(({ value }) => value),
      assumed,
    );
  return (variables) =>
    largest(
      slicing.map((argument) => ('value' in argument ? argument.value : argument.of(variables))),
      assumed,
    );
}

function entriesOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value === null || value === undefined ? 0 : 1;
}

/** Negative numbers are none: the subgraph refuses them. */
function largest(values: readonly unknown[], assumed: number): number {
  const given = values.filter((value) => typeof value === 'number');
  return given.length === 0 ? assumed : Math.max(0, ...given);
}

function holdsVariable(node: ValueNode): boolean {
  if (node.kind === Kind.VARIABLE) return true;
  if (node.kind === Kind.LIST) return node.values.some(holdsVariable);
  return node.kind === Kind.OBJECT && node.fields.some(({ value }) => holdsVariable(value));
}
