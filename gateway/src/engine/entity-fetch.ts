import type { GraphQLError } from 'graphql';
import type { FetchTemplate } from './fetch-template.js';
import { copyOf, isObject, type JsonObject, mergeInto } from './json.js';
import type { PlanPath, ResponsePath } from './plan-path.js';
import { type PlanRun, relocated } from './plan-run.js';
import { type Projection, Representations } from './representations.js';
import type { Change } from './rewrites.js';

/** Places at which one failure is reported; a dead subgraph would otherwise fill the answer with the same error. */
const MAX_PLACES = 100;

/** One `_entities` field of a fetch. */
export interface Lookup {
  /** its response key */
  key: string;
  /** name of the variable that holds its representations */
  variable: string;
  /** where its entities stand */
  paths: readonly PlanPath[];
  project: Projection;
  rewriteInput: Change | null;
  rewriteOutput: Change | null;
  /** names of fields by the aliases that the plan gave them */
  names: ReadonlyMap<string, string>;
}

/** The entities of one lookup in one run. */
interface Targets {
  entities: JsonObject[];
  /** position of the representation of each */
  positions: number[];
}

/** Fetches fields of entities that other subgraphs named, each entity once, and adds them wherever it stands. */
export class EntityFetch {
  constructor(
    private readonly template: FetchTemplate,
    private readonly lookups: readonly Lookup[],
    private readonly rewriteOutput: Change | null,
  ) {}

  run(run: PlanRun): Promise<void> | undefined {
    const lists = new Map<string, Representations>();
    const targets = this.lookups.map((lookup) => collect(lookup, run.data, listOf(lists, lookup.variable)));
    if (targets.every(({ entities }) => entities.length === 0)) return undefined;
    return this.fetch(run, lists, targets);
  }

  private async fetch(
    run: PlanRun,
    lists: ReadonlyMap<string, Representations>,
    targets: readonly Targets[],
  ): Promise<void> {
    const { template } = this;
    const { data, errors } = await run.fetch(template.subgraph, template.fillWith(run.variables, lists));
    if (errors) for (const error of errors) this.report(run, error, targets);
    if (!data) return;
    this.rewriteOutput?.(data);
    this.lookups.forEach((lookup, index) => {
      const answers = data[lookup.key];
      const owners = targets[index];
      if (!Array.isArray(answers) || !owners) return;
      lookup.rewriteOutput?.(answers);
      distribute(answers, owners);
    });
  }

  /** Puts an error at each place that its entity stands for; one about the whole fetch at every field that was asked for. */
  private report(run: PlanRun, error: GraphQLError, targets: readonly Targets[]): void {
    const [key, position, ...rest] = error.path ?? [];
    const at = this.lookups.findIndex((lookup) => lookup.key === key);
    const lookup = this.lookups[at];
    const owners = targets[at];
    if (lookup && owners && typeof position === 'number') {
      const tail = rest.map((name) => lookup.names.get(String(name)) ?? name);
      const places = placesOf(lookup, owners, run.data).filter(
        (_, index) => owners.positions[index] === position,
      );
      for (const place of places.slice(0, MAX_PLACES)) run.errors.push(relocated(error, [...place, ...tail]));
      return;
    }
    const failed = this.lookups.flatMap((each, index) => {
      const standing = targets[index];
      if (!standing || (lookup && each !== lookup)) return [];
      const fields = this.template.keysOf(each.key).map((name) => each.names.get(name) ?? name);
      return placesOf(each, standing, run.data).flatMap((place) => fields.map((name) => [...place, name]));
    });
    for (const path of failed.slice(0, MAX_PLACES)) run.errors.push(relocated(error, path));
  }
}

function listOf(lists: Map<string, Representations>, variable: string): Representations {
  const known = lists.get(variable);
  if (known) return known;
  const list = new Representations();
  lists.set(variable, list);
  return list;
}

function collect(lookup: Lookup, data: JsonObject, list: Representations): Targets {
  const targets: Targets = { entities: [], positions: [] };
  for (const path of lookup.paths) {
    path.each(data, (entity) => {
      const representation = lookup.project(entity);
      if (!representation) return;
      lookup.rewriteInput?.(representation);
      targets.entities.push(entity);
      targets.positions.push(list.add(representation));
    });
  }
  return targets;
}

/** The first entity of a representation takes its answer over; others get copies, since later fetches may tell them apart. */
function distribute(answers: readonly unknown[], { entities, positions }: Targets): void {
  const given = new Set<number>();
  entities.forEach((entity, index) => {
    const position = positions[index] ?? -1;
    const answer = answers[position];
    if (!isObject(answer)) return;
    mergeInto(entity, given.has(position) ? copyOf(answer) : answer);
    given.add(position);
  });
}

/** Response paths of the entities of one lookup, found anew since only an error needs them. */
function placesOf(lookup: Lookup, { entities }: Targets, data: JsonObject): ResponsePath[] {
  const byEntity = new Map<JsonObject, ResponsePath>();
  for (const path of lookup.paths) path.eachWithPath(data, (entity, place) => byEntity.set(entity, place));
  return entities.map((entity) => byEntity.get(entity) ?? []);
}
