import { isObject, type JsonObject } from './json.js';
import type { PathSegment } from './query-plan.js';
import type { TypeConditions } from './type-conditions.js';

export type ResponsePath = readonly (string | number)[];

/** Told about each object at the end of a path; `path` is reused, and null where nobody asked for it. */
export type Found = (target: JsonObject, path: (string | number)[] | null) => void;

/** The objects that a plan's path leads to. */
export class PlanPath {
  /** names of the fields on the way */
  readonly fields: readonly string[];

  constructor(
    private readonly segments: readonly PathSegment[],
    private readonly types: TypeConditions,
  ) {
    this.fields = segments.flatMap((segment) =>
      typeof segment === 'object' && 'Field' in segment ? [segment.Field] : [],
    );
  }

  /** Visits them in order, without their paths, which cost more than the visit. */
  each(data: JsonObject, found: Found): void {
    this.walk(data, 0, { path: null, found });
  }

  /** As {@link each}, with the response path of each. */
  eachWithPath(data: JsonObject, found: (target: JsonObject, path: ResponsePath) => void): void {
    this.walk(data, 0, { path: [], found: (target, path) => found(target, [...(path ?? [])]) });
  }

  private walk(value: unknown, at: number, walk: { path: (string | number)[] | null; found: Found }): void {
    if (typeof value !== 'object' || value === null) return;
    const segment = this.segments[at];
    if (Array.isArray(value)) {
      const next = segment === '@' ? at + 1 : at;
      for (let index = 0; index < value.length; index += 1) {
        walk.path?.push(index);
        this.walk(value[index], next, walk);
        walk.path?.pop();
      }
      return;
    }
    if (segment === undefined) walk.found(value as JsonObject, walk.path);
    else if (segment === '@' || !isObject(value)) return;
    else if ('Field' in segment) {
      walk.path?.push(segment.Field);
      this.walk(value[segment.Field], at + 1, walk);
      walk.path?.pop();
    } else if (this.types.holds(segment.TypeCondition, value['__typename'])) this.walk(value, at + 1, walk);
  }
}
