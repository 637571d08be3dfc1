import {
  type ASTVisitor,
  type DocumentNode,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
  type ValidationContext,
  type ValidationRule,
  visit,
} from 'graphql';
import { type Audience, PreparedOperation } from '../pipeline/operation.js';

/** Kept documents: at most so many, and together at most so long; one with its plan takes 60 to 80 bytes a character. */
const KEPT_OPERATIONS = 1_000;
const KEPT_CHARACTERS = 1024 * 1024;

export interface PreparingOptions {
  schemas: Readonly<Record<Audience, GraphQLSchema>>;
  /** rules beside those of the specification; judged first, so that they can bound what the others cost */
  rules: readonly ValidationRule[];
  checkText?: ((text: string) => GraphQLError | undefined) | undefined;
}

/** Parses and validates documents; the ones used last are kept. */
export class PreparedOperations {
  private readonly kept = new Map<string, PreparedOperation>();
  private keptCharacters = 0;

  constructor(private readonly options: PreparingOptions) {}

  get(
    text: string,
    operationName: string | null | undefined,
    audience: Audience,
  ): PreparedOperation | readonly GraphQLError[] {
    // The name is a client's to choose: quoted, so that a name with line breaks is no part of another text.
    const key = `${audience} ${JSON.stringify(operationName ?? '')} ${text}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      known.uses += 1;
      return known;
    }
    const prepared = this.prepare(text, operationName, audience);
    if (prepared instanceof PreparedOperation) this.keep(key, prepared);
    return prepared;
  }

  private prepare(
    text: string,
    operationName: string | null | undefined,
    audience: Audience,
  ): PreparedOperation | readonly GraphQLError[] {
    const document = this.parse(text);
    if (document instanceof GraphQLError) return [document];
    const schema = this.options.schemas[audience];
    const first = validate(schema, document, [reservedNames, ...this.options.rules]);
    const errors = first.length > 0 ? first : validate(schema, document, specifiedRules);
    if (errors.length > 0) return errors.map(asInvalid);
    const operation = getOperationAST(document, operationName);
    if (!operation) return [unknownOperation(operationName)];
    // Validation passes over what it has no type for: an operation without a root type would reach the plan unchecked.
    if (!schema.getRootType(operation.operation)) return [noSuchRoot(operation)];
    forgetTokens(document);
    return new PreparedOperation({ text, document, operation, schema, audience });
  }

  private keep(key: string, prepared: PreparedOperation): void {
    this.kept.set(key, prepared);
    this.keptCharacters += key.length;
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT_OPERATIONS && this.keptCharacters <= KEPT_CHARACTERS) return;
      this.kept.delete(oldest);
      this.keptCharacters -= oldest.length;
    }
  }

  private parse(text: string): DocumentNode | GraphQLError {
    const refused = this.options.checkText?.(text);
    if (refused) return refused;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return withCode(error, 'GRAPHQL_PARSE_FAILED');
    }
  }
}

/**
 * Takes the places in the text away from a document that is kept: they hold all its tokens, several times what the document takes
 * itself. Definitions of variables keep theirs, which errors name, without the tokens.
 */
function forgetTokens(document: DocumentNode): void {
  visit(document, {
    enter(node) {
      if (!node.loc) return;
      const { start, end, source } = node.loc;
      const kept = node.kind === Kind.VARIABLE_DEFINITION ? { start, end, source } : undefined;
      (node as { loc: unknown }).loc = kept;
    },
  });
}

/** `__proto__` as a name of the response would change what an object is instead of adding to it. */
const reservedNames: ValidationRule = (context: ValidationContext): ASTVisitor => ({
  Name(node) {
    if (node.value !== '__proto__') return;
    const message = '__proto__ is no name for anything here: choose another';
    context.reportError(new GraphQLError(message, { nodes: node }));
  },
});

function asInvalid(error: GraphQLError): GraphQLError {
  return error.extensions['code'] === undefined ? withCode(error, 'GRAPHQL_VALIDATION_FAILED') : error;
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  const { nodes, source, positions } = error;
  return new GraphQLError(error.message, {
    nodes,
    source,
    positions,
    extensions: { code, http: { status: 400 } },
  });
}

function noSuchRoot(operation: OperationDefinitionNode): GraphQLError {
  const message = `there is nothing of the kind ${operation.operation} here`;
  return withCode(new GraphQLError(message, { nodes: operation }), 'GRAPHQL_VALIDATION_FAILED');
}

function unknownOperation(name: string | null | undefined): GraphQLError {
  const message = name
    ? `the document holds no operation ${name}`
    : 'the document holds several operations: name one by operationName';
  return new GraphQLError(message, {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } },
  });
}
