import { type ASTVisitor, type DocumentNode, type ValidationContext, type ValidationRule } from 'graphql';
import type { DocumentLimits } from './document-limits.js';
import { refusal } from './refusal.js';

/** Refuses documents that are too large to be worth validating; stands before the rules of the specification. */
export function boundedDocument(limits: DocumentLimits): ValidationRule {
  return (context: ValidationContext): ASTVisitor => ({
    Document(document: DocumentNode): void {
      for (const error of limits.ofDocument(document)) context.reportError(error);
    },
  });
}

/** `@defer` and `@stream` would be ignored by the planner, and a client that waits for parts would wait for ever. */
export const noIncrementalDelivery: ValidationRule = (context: ValidationContext): ASTVisitor => ({
  Directive({ name }) {
    if (name.value === 'defer' || name.value === 'stream') {
      const message = `@${name.value} is not supported: take it out, or send the slow part as a query of its own`;
      context.reportError(refusal('DEFER_UNSUPPORTED', message));
    }
  },
});
