import { documentStringMap } from '@envelop/core';
import {
  type DocumentNode,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  print,
} from 'graphql';

/** Faults of variables that are reported; a batch can hold millions, and each costs a stack trace. */
const MAX_FAULTS = 20;

/** What is executed: a document and variables that fit it. */
interface Execution {
  document: DocumentNode;
  variables: Record<string, unknown>;
}

/**
 * Fits variables to their types, once and with bounded effort.
 *
 * The planner's executor would do it again without a bound, so it is given a document whose operations declare no
 * variables, and which still prints as the original, since it plans from the text.
 */
export class VariableFitting {
  private readonly undeclared = new WeakMap<DocumentNode, DocumentNode>();

  /** The execution, or what is wrong with the variables as the client's fault. */
  fit(
    schema: GraphQLSchema,
    { document, variables }: Execution,
    operationName?: string | null,
  ): Execution | GraphQLError[] {
    const declared = getOperationAST(document, operationName)?.variableDefinitions ?? [];
    if (declared.length === 0) return { document, variables: {} };
    const { coerced, errors } = getVariableValues(schema, declared, variables, { maxErrors: MAX_FAULTS });
    if (errors)
      return errors.map(
        ({ message, nodes }) =>
          new GraphQLError(message, { ...(nodes && { nodes }), extensions: { code: 'BAD_USER_INPUT' } }),
      );
    return { document: this.withoutDeclarations(document), variables: coerced };
  }

  private withoutDeclarations(document: DocumentNode): DocumentNode {
    const known = this.undeclared.get(document);
    if (known) return known;
    const definitions = document.definitions.map((definition) => {
      if (definition.kind !== Kind.OPERATION_DEFINITION) return definition;
      const { variableDefinitions: _, ...operation } = definition;
      return operation;
    });
    const undeclared = { ...document, definitions };
    documentStringMap.set(undeclared, print(document));
    this.undeclared.set(document, undeclared);
    return undeclared;
  }
}
