import type { PossibleTypes } from './api-schema.js';

/** Answers whether an object that calls itself by a type name is meant by a type condition. */
export class TypeConditions {
  constructor(private readonly possibleTypes: PossibleTypes) {}

  /** False for a name that only a subgraph's answer holds: nothing may be kept by it, for there is no end of such names. */
  knows(typename: unknown): typename is string {
    return typeof typename === 'string' && this.possibleTypes.has(typename);
  }

  /** True also for an object that does not tell its type: it was selected for one that fits. */
  holds(conditions: readonly string[], typename: unknown): boolean {
    return typeof typename !== 'string' || conditions.some((condition) => this.isA(typename, condition));
  }

  isA(typename: string, condition: string): boolean {
    return typename === condition || (this.possibleTypes.get(condition)?.has(typename) ?? false);
  }
}
