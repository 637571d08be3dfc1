import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  getOperationAST,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { ScopeRule } from '../supergraph/supergraph.js';

/** `@skip` or `@include` on a selection or around it. */
interface Condition {
  /** name of the deciding variable, or the literal */
  on: string | boolean;
  includedWhen: boolean;
}

interface ProtectedField {
  coordinate: string;
  rules: readonly ScopeRule[];
  conditions: readonly Condition[];
}

/** What one operation or fragment selects itself. */
interface Selections {
  fields: ProtectedField[];
  spreads: { fragment: string; conditions: readonly Condition[] }[];
}

/** Who may run a document. The document is walked once; each request then costs one pass over its protected fields. */
export class FieldAccess {
  private readonly selections = new WeakMap<
    DocumentNode,
    Map<OperationDefinitionNode | string, Selections>
  >();

  /** @param rules  by `Type.field` */
  constructor(private readonly rules: ReadonlyMap<string, readonly ScopeRule[]>) {}

  /**
   * The protected fields of an operation that these scopes do not open; a field behind `@skip` or `@include` counts when
   * its variables do not exclude it.
   *
   * @returns coordinates (`Type.field`), each once
   */
  denied(
    operation: {
      schema: GraphQLSchema;
      document: DocumentNode;
      operationName?: string | null;
      variables?: Record<string, unknown>;
    },
    scopes: readonly string[],
  ): string[] {
    const root = getOperationAST(operation.document, operation.operationName);
    if (!root) return [];
    const variables = { ...defaultsOf(root), ...operation.variables };
    const byDefinition = this.selectionsOf(operation.schema, operation.document);
    const denied = new Set<string>();
    const queue: (OperationDefinitionNode | string)[] = [root];
    const seen = new Set<OperationDefinitionNode | string>(queue);
    for (const definition of queue) {
      const { fields, spreads } = byDefinition.get(definition) ?? { fields: [], spreads: [] };
      for (const { coordinate, rules, conditions } of fields) {
        if (
          !denied.has(coordinate) &&
          !rules.every((rule) => isOpen(rule, scopes)) &&
          mayRun(conditions, variables)
        )
          denied.add(coordinate);
      }
      for (const { fragment, conditions } of spreads) {
        if (seen.has(fragment) || !mayRun(conditions, variables)) continue;
        seen.add(fragment);
        queue.push(fragment);
      }
    }
    return [...denied];
  }

  private selectionsOf(
    schema: GraphQLSchema,
    document: DocumentNode,
  ): Map<OperationDefinitionNode | string, Selections> {
    const known = this.selections.get(document);
    if (known) return known;
    const byDefinition = new Map<OperationDefinitionNode | string, Selections>();
    for (const definition of document.definitions) {
      if (definition.kind === Kind.OPERATION_DEFINITION)
        byDefinition.set(definition, this.walk(schema, definition));
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        byDefinition.set(definition.name.value, this.walk(schema, definition));
    }
    this.selections.set(document, byDefinition);
    return byDefinition;
  }

  private walk(
    schema: GraphQLSchema,
    definition: OperationDefinitionNode | FragmentDefinitionNode,
  ): Selections {
    const found: Selections = { fields: [], spreads: [] };
    const around: Condition[][] = [];
    const enter = (directives: readonly DirectiveNode[] | undefined): Condition[] => {
      around.push(conditionsOf(directives));
      return around.flat();
    };
    const leave = (): void => void around.pop();
    const typeInfo = new TypeInfo(schema);
    visit(
      definition,
      visitWithTypeInfo(typeInfo, {
        Field: {
          enter: (node) => {
            const conditions = enter(node.directives);
            const coordinate = `${typeInfo.getParentType()?.name}.${node.name.value}`;
            const rules = this.rules.get(coordinate);
            if (rules) found.fields.push({ coordinate, rules, conditions });
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
}

function isOpen(rule: ScopeRule, scopes: readonly string[]): boolean {
  return rule.some((all) => all.every((scope) => scopes.includes(scope)));
}

function mayRun(conditions: readonly Condition[], variables: Readonly<Record<string, unknown>>): boolean {
  return conditions.every(({ on, includedWhen }) => {
    const value = typeof on === 'boolean' ? on : variables[on];
    return typeof value !== 'boolean' || value === includedWhen;
  });
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

function defaultsOf(operation: OperationDefinitionNode): Record<string, unknown> {
  const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
    defaultValue?.kind === Kind.BOOLEAN ? [[variable.name.value, defaultValue.value] as const] : [],
  );
  return Object.fromEntries(defaults);
}
