import { isObject, type JsonObject } from './json.js';
import type { Requirement } from './query-plan.js';
import type { TypeConditions } from './type-conditions.js';

/** What is sent of an entity to have it found again; null when it holds too little of what is required. */
export type Projection = (entity: JsonObject) => JsonObject | null;

/** Stands for whatever is no type of the schema: no type condition holds for it. */
const NO_TYPE = '';

type FieldWriter = (entity: JsonObject, representation: JsonObject) => void;

/** A projection with one list of fields for each type of entity, made when the type is first seen. An entity of no type of the schema has none. */
export function compileRequirements(requires: readonly Requirement[], types: TypeConditions): Projection {
  const byType = new Map<string, readonly FieldWriter[]>();
  return (entity) => {
    const typename = entity['__typename'];
    if (typeof typename !== 'string') return null;
    let writers = byType.get(typename);
    if (!writers && !types.knows(typename)) return null;
    if (!writers) byType.set(typename, (writers = writersOf(requires, typename, types)));
    const representation: JsonObject = { __typename: typename };
    for (const write of writers) write(entity, representation);
    for (const key in representation) if (key !== '__typename') return representation;
    return null;
  };
}

function writersOf(requires: readonly Requirement[], typename: string, types: TypeConditions): FieldWriter[] {
  return requires.flatMap((requirement) => {
    if (requirement.kind === 'InlineFragment')
      return types.isA(typename, requirement.typeCondition)
        ? writersOf(requirement.selections, typename, types)
        : [];
    return [writerOf(requirement, types)];
  });
}

function writerOf(
  { name, alias, selections }: Extract<Requirement, { kind: 'Field' }>,
  types: TypeConditions,
): FieldWriter {
  const key = alias ?? name;
  const project = selections ? nested(selections, types) : (value: unknown) => value;
  return (entity, representation) => {
    const value = project(entity[name] === undefined ? entity[key] : entity[name]);
    if (value !== undefined && value !== null) representation[key] = value;
  };
}

function nested(selections: readonly Requirement[], types: TypeConditions): (value: unknown) => unknown {
  const byType = new Map<string, readonly FieldWriter[]>();
  const project = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(project);
    if (!isObject(value)) return value;
    const told = value['__typename'];
    const typename = types.knows(told) ? told : NO_TYPE;
    let writers = byType.get(typename);
    if (!writers) byType.set(typename, (writers = writersOf(selections, typename, types)));
    const projected: JsonObject = {};
    for (const write of writers) write(value, projected);
    for (const key in projected) if (key !== '__typename') return projected;
    return null;
  };
  return project;
}

/** The representations of one variable, each once. */
export class Representations {
  private readonly positions = new Map<string, number>();
  readonly values: JsonObject[] = [];

  /** @returns its position in the list that is sent */
  add(representation: JsonObject): number {
    const key = JSON.stringify(representation);
    const known = this.positions.get(key);
    if (known !== undefined) return known;
    this.positions.set(key, this.values.length);
    return this.values.push(representation) - 1;
  }

  /** The list as JSON, which has been written already to tell equal ones. */
  get json(): string {
    return `[${[...this.positions.keys()].join(',')}]`;
  }
}
