import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  type GraphQLCompositeType,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  isAbstractType,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { PreparedOperation } from '../pipeline/operation.js';
import { argumentAmounts, inputCost, sizeOf } from './argument-amounts.js';
import type { CostTable, ListSize } from './cost-table.js';
import { refusal } from './refusal.js';
import {
  type Amount,
  type Condition,
  type Cost,
  type FieldCost,
  SelectionCost,
  type TypeSelection,
  type Variables,
} from './selection-cost.js';

/** A mutation costs this beside what it selects: it writes. */
const MUTATION_COST = 10;
/** Introspection is answered here and never asks a subgraph. */
const INTROSPECTION_COST: Readonly<Record<string, number>> = { __schema: 100, __type: 10 };
/** Entries of a list of objects whose length nobody states. */
const UNSTATED_SIZE = 100;
/** Ends the compilation of documents that multiply through abstract types. */
const MAX_COMPILED_FIELDS = 50_000;

/** What an operation costs, computed from its variables alone in time that is linear in the document. */
export class OperationCost {
  private readonly base: number;
  private readonly root: SelectionCost;
  private readonly constant: Cost | null;

  /** @throws GraphQLError QUERY_TOO_LARGE for a document with too many ways through abstract types */
  constructor(prepared: PreparedOperation, table: CostTable) {
    const compiler = new CostCompiler(prepared, table);
    this.root = compiler.compile();
    this.base = prepared.type === 'mutation' ? MUTATION_COST : 0;
    this.constant = compiler.dependsOnVariables ? null : this.compute({});
  }

  /** The most that it may cost, and the most model rows that it may ask for. */
  estimated(variables: Variables): Cost {
    return this.constant ?? this.compute(variables);
  }

  /** Where most of the estimate comes from, as names in the answer; empty where nothing stands out. */
  dearest(variables: Variables): readonly string[] {
    return this.root.dearest(variables, {});
  }

  /** What an answer cost. */
  actual(data: Readonly<Record<string, unknown>>, variables: Variables): Cost {
    const { cost, rows } = this.root.actual(data, variables);
    return { cost: this.base + cost, rows };
  }

  private compute(variables: Variables): Cost {
    const { cost, rows } = this.root.estimated(variables, {});
    return { cost: this.base + cost, rows };
  }
}

/** A selection set and on what conditions it is reached. */
interface Occurrence {
  selectionSet: SelectionSetNode;
  when: Condition | null;
}

/** All nodes that ask for one name of the answer. */
interface Selected {
  node: FieldNode;
  when: Condition[] | null;
  below: Occurrence[];
}

/** Sizes that a field states for lists below it. */
interface Inherited {
  coordinate: string;
  fields: readonly string[];
  size: Amount;
}

class CostCompiler {
  dependsOnVariables = false;
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly compiled = new Map<string, SelectionCost>();
  private readonly ids = new Map<object, number>();
  private readonly conditions = new Map<string, Condition>();
  private fields = 0;

  constructor(
    private readonly prepared: PreparedOperation,
    private readonly table: CostTable,
  ) {
    for (const definition of prepared.document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
  }

  compile(): SelectionCost {
    const { operation, schema, type } = this.prepared;
    const root = schema.getRootType(type);
    if (!root) return new SelectionCost();
    return this.selectionOf(root, [{ selectionSet: operation.selectionSet, when: null }], null);
  }

  private selectionOf(
    type: GraphQLCompositeType,
    occurrences: readonly Occurrence[],
    inherited: Inherited | null,
  ): SelectionCost {
    const ids = occurrences.map(({ selectionSet, when }) => `${this.idOf(selectionSet)}.${this.idOf(when)}`);
    const key = `${type.name} ${inherited?.coordinate ?? ''} ${ids.join(' ')}`;
    const known = this.compiled.get(key);
    if (known) return known;
    const selection = new SelectionCost();
    this.compiled.set(key, selection);
    const isAbstract = isAbstractType(type);
    const possible = isAbstract ? this.prepared.schema.getPossibleTypes(type) : [type];
    selection.types = possible.map((object): TypeSelection => {
      const selected = this.collect(object, occurrences);
      this.fields += selected.size;
      if (this.fields > MAX_COMPILED_FIELDS) throw tooManyWays();
      const fields = [...selected].flatMap(([name, one]) => this.fieldOf(object, name, one, inherited) ?? []);
      return { keys: isAbstract ? new Set(selected.keys()) : null, fields };
    });
    return selection;
  }

  /** Null for a field that costs nothing. */
  private fieldOf(
    parent: GraphQLObjectType,
    key: string,
    { node, when, below }: Selected,
    inherited: Inherited | null,
  ): FieldCost | null {
    const name = node.name.value;
    const introspection = INTROSPECTION_COST[name];
    if (introspection !== undefined)
      return { key, when, input: 0, weight: introspection, rows: 0, size: null, selection: null };
    const field = parent.getFields()[name];
    if (!field) return null;
    const demand = this.table.demandOf(parent.name, name);
    const type = getNamedType(field.type);
    const amounts = argumentAmounts(node, field);
    const input = this.noted(inputCost(demand.arguments, amounts));
    const stated = demand.size && this.noted(sizeOf(demand.size, amounts, UNSTATED_SIZE));
    const weight = demand.weight ?? this.typeWeight(type);
    const size = this.listSize(field.type, { stated, demand: demand.size, inherited, name });
    const handed = handedDown(`${parent.name}.${name}`, demand.size, stated);
    const selection = isCompositeType(type) ? this.selectionOf(type, below, handed) : null;
    if (!selection && weight === 0 && demand.rows === 0 && input === 0) return null;
    return { key, when, input, weight, rows: demand.rows, size, selection };
  }

  /** Of an interface or union that of its dearest type. */
  private typeWeight(type: GraphQLNamedOutputType): number {
    const stated = this.table.weightOf(type.name);
    if (stated !== null) return stated;
    if (!isAbstractType(type)) return isCompositeType(type) ? 1 : 0;
    const weights = this.prepared.schema.getPossibleTypes(type).map((each) => this.typeWeight(each));
    return Math.max(1, ...weights);
  }

  private listSize(
    type: GraphQLOutputType,
    from: { stated: Amount | null; demand: ListSize | null; inherited: Inherited | null; name: string },
  ): Amount | null {
    const levels = listLevels(type);
    if (levels === 0) return null;
    const own = from.demand?.sizedFields.length ? null : from.stated;
    const outer = from.inherited?.fields.includes(from.name) ? from.inherited.size : (own ?? UNSTATED_SIZE);
    const inner = UNSTATED_SIZE ** (levels - 1);
    if (inner === 1) return outer;
    return typeof outer === 'number' ? outer * inner : (variables) => outer(variables) * inner;
  }

  private collect(type: GraphQLObjectType, occurrences: readonly Occurrence[]): Map<string, Selected> {
    const selected = new Map<string, Selected>();
    const spread = new Set<string>();
    const visit = ({ selections }: SelectionSetNode, outer: Condition | null): void => {
      for (const selection of selections) {
        const when = this.conditionOf(selection.directives, outer);
        if (when === 'never') continue;
        if (selection.kind === Kind.FIELD) select(selected, selection, when);
        else if (selection.kind === Kind.INLINE_FRAGMENT) {
          if (this.applies(selection.typeCondition?.name.value, type)) visit(selection.selectionSet, when);
        } else {
          const fragment = this.fragments.get(selection.name.value);
          const once = `${selection.name.value} ${this.idOf(when)}`;
          if (!fragment || spread.has(once)) continue;
          spread.add(once);
          if (this.applies(fragment.typeCondition.name.value, type)) visit(fragment.selectionSet, when);
        }
      }
    };
    for (const { selectionSet, when } of occurrences) visit(selectionSet, when);
    return selected;
  }

  private applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true;
    const wanted = this.prepared.schema.getType(condition);
    return isAbstractType(wanted) && this.prepared.schema.isSubType(wanted, type);
  }

  private conditionOf(
    directives: readonly DirectiveNode[] | undefined,
    outer: Condition | null,
  ): Condition | null | 'never' {
    let when = outer;
    for (const { name, arguments: given } of directives ?? []) {
      if (name.value !== 'skip' && name.value !== 'include') continue;
      const expected = name.value === 'include';
      const value = given?.find((argument) => argument.name.value === 'if')?.value;
      if (value?.kind === Kind.BOOLEAN && value.value !== expected) return 'never';
      if (value?.kind !== Kind.VARIABLE) continue;
      this.dependsOnVariables = true;
      when = this.condition(value.name.value, expected, when);
    }
    return when;
  }

  /** One object for each condition, so that what is reached on the same conditions is compiled once. */
  private condition(variable: string, expected: boolean, outer: Condition | null): Condition {
    const key = `${variable} ${expected} ${this.idOf(outer)}`;
    const known = this.conditions.get(key);
    if (known) return known;
    const condition = { variable, expected, outer };
    this.conditions.set(key, condition);
    return condition;
  }

  private noted<T extends Amount>(amount: T): T {
    if (typeof amount === 'function') this.dependsOnVariables = true;
    return amount;
  }

  private idOf(of: object | null): number {
    if (of === null) return 0;
    const known = this.ids.get(of);
    if (known !== undefined) return known;
    this.ids.set(of, this.ids.size + 1);
    return this.ids.size;
  }
}

function select(selected: Map<string, Selected>, node: FieldNode, when: Condition | null): void {
  const key = node.alias?.value ?? node.name.value;
  const below = node.selectionSet ? [{ selectionSet: node.selectionSet, when }] : [];
  const known = selected.get(key);
  if (!known) return void selected.set(key, { node, when: when && [when], below });
  known.below.push(...below);
  if (when === null) known.when = null;
  else known.when?.push(when);
}

function handedDown(coordinate: string, size: ListSize | null, stated: Amount | null): Inherited | null {
  return size && stated !== null && size.sizedFields.length > 0
    ? { coordinate, fields: size.sizedFields, size: stated }
    : null;
}

function listLevels(type: GraphQLOutputType): number {
  if (isNonNullType(type)) return listLevels(type.ofType as GraphQLOutputType);
  return isListType(type) ? 1 + listLevels(type.ofType as GraphQLOutputType) : 0;
}

function tooManyWays(): Error {
  const message = `an operation may have ${MAX_COMPILED_FIELDS} fields over all types that its interfaces stand for, this one has more: split it`;
  return refusal('QUERY_TOO_LARGE', message);
}
