import { DomainError, type ErrorCode } from '@sextant/domain';
import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** Refuses operations whose fields nest deeper than this, fragments followed. */
export function maxDepth(limit: number): ValidationRule {
  return (context: ValidationContext): ASTVisitor => ({
    Document(document) {
      for (const definition of document.definitions) {
        if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
        const depth = new DepthOf(document).of(definition.selectionSet);
        if (depth > limit) {
          context.reportError(
            refusal(
              'QUERY_TOO_DEEP',
              `fields may nest ${limit} deep, this operation nests ${depth}: split it`,
            ),
          );
        }
      }
    },
  });
}

/** `@defer` and `@stream` would be ignored by the planner, and a client that waits for parts would wait for ever. */
export const noIncrementalDelivery: ValidationRule = (context: ValidationContext): ASTVisitor => ({
  Directive({ name }) {
    if (name.value === 'defer' || name.value === 'stream') {
      context.reportError(
        refusal(
          'DEFER_UNSUPPORTED',
          `@${name.value} is not supported: take it out, or send the slow part as a query of its own`,
        ),
      );
    }
  },
});

/** Depth of selections with each fragment measured once, so that spreading one twice costs nothing. */
class DepthOf {
  private readonly fragments = new Map<string, number>();

  constructor(private readonly document: DocumentNode) {}

  of({ selections }: SelectionSetNode): number {
    let deepest = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD)
        deepest = Math.max(deepest, 1 + (selection.selectionSet ? this.of(selection.selectionSet) : 0));
      if (selection.kind === Kind.INLINE_FRAGMENT)
        deepest = Math.max(deepest, this.of(selection.selectionSet));
      if (selection.kind === Kind.FRAGMENT_SPREAD)
        deepest = Math.max(deepest, this.ofFragment(selection.name.value));
    }
    return deepest;
  }

  private ofFragment(name: string): number {
    const known = this.fragments.get(name);
    if (known !== undefined) return known;
    this.fragments.set(name, 0); // a cycle ends here; another rule refuses it
    const fragment = this.document.definitions.find(
      (node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === name,
    );
    const depth = fragment?.kind === Kind.FRAGMENT_DEFINITION ? this.of(fragment.selectionSet) : 0;
    this.fragments.set(name, depth);
    return depth;
  }
}

function refusal(code: ErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code }, originalError: new DomainError(code, message) });
}
