import type { GraphQLError } from 'graphql';
import { EntityFetch, type Lookup } from './entity-fetch.js';
import { FetchTemplate } from './fetch-template.js';
import { mergeInto } from './json.js';
import { PlanPath } from './plan-path.js';
import { type PlanRun, relocated } from './plan-run.js';
import type { BatchFetchNode, Fetching, FetchNode, PathSegment, PlanNode, QueryPlan } from './query-plan.js';
import { compileRequirements } from './representations.js';
import { compileRewrites, renamedKeys } from './rewrites.js';
import type { TypeConditions } from './type-conditions.js';

/** A part of a plan, ready to run; undefined instead of a promise where nothing is to be waited for. */
export type Step = (run: PlanRun) => Promise<void> | undefined;

/** A plan, ready to run any number of times. */
export interface ExecutablePlan {
  /** all of a query or mutation; of a subscription what is done for each event */
  step: Step;
  /** what a subscription listens to */
  source: FetchTemplate | null;
}

const NOTHING: Step = () => undefined;

/** @param nameOf  the subgraph's name for the one in the plan */
export function compilePlan(
  { node }: QueryPlan,
  types: TypeConditions,
  nameOf: (service: string) => string,
): ExecutablePlan {
  if (node) nameServices(node, nameOf);
  const source = node ? sourceOf(node) : null;
  return { step: node ? compile(node, [], types) : NOTHING, source: source && new FetchTemplate(source) };
}

function nameServices(node: PlanNode, nameOf: (service: string) => string): void {
  const visit = (inner: PlanNode | null | undefined): void => {
    if (inner) nameServices(inner, nameOf);
  };
  if ('nodes' in node) node.nodes.forEach(visit);
  else if (node.kind === 'Flatten') visit(node.node);
  else if (node.kind === 'Subscription') node.primary.serviceName = nameOf(node.primary.serviceName);
  else if (node.kind === 'Condition') [node.ifClause, node.elseClause].forEach(visit);
  else node.serviceName = nameOf(node.serviceName);
}

function sourceOf(node: PlanNode): Fetching | null {
  if (node.kind === 'Subscription') return node.primary;
  const [first] = node.kind === 'Sequence' ? node.nodes : [];
  return first ? sourceOf(first) : null;
}

/** @param path  where the entities of a fetch stand that is nested in `Flatten` */
function compile(node: PlanNode, path: readonly PathSegment[], types: TypeConditions): Step {
  switch (node.kind) {
    case 'Subscription':
      return NOTHING;
    case 'Sequence':
      return sequence(node.nodes.map((inner) => compile(inner, path, types)));
    case 'Parallel':
      return parallel(node.nodes.map((inner) => compile(inner, path, types)));
    case 'Flatten':
      return compile(node.node, [...path, ...node.path], types);
    case 'Condition': {
      const then = node.ifClause ? compile(node.ifClause, path, types) : NOTHING;
      const otherwise = node.elseClause ? compile(node.elseClause, path, types) : NOTHING;
      return (run) => (run.variables[node.condition] === true ? then(run) : otherwise(run));
    }
    case 'Fetch':
      return node.requires && node.requires.length > 0
        ? entityStep(node, path, types)
        : rootStep(node, types);
    case 'BatchFetch':
      return batchStep(node, types);
  }
}

function sequence(steps: readonly Step[]): Step {
  const [only] = steps;
  if (only && steps.length === 1) return only;
  return async (run) => {
    for (const step of steps) await step(run);
  };
}

function parallel(steps: readonly Step[]): Step {
  return (run) => {
    const pending = steps.map((step) => step(run)).filter((promise) => promise !== undefined);
    if (pending.length < 2) return pending[0];
    return Promise.all(pending).then(() => undefined);
  };
}

function rootStep(node: FetchNode, types: TypeConditions): Step {
  const template = new FetchTemplate(node);
  const rewrite = compileRewrites(node.outputRewrites, types);
  const names = renamedKeys(node.outputRewrites);
  return async (run) => {
    const { data, errors } = await run.fetch(template.subgraph, template.fill(run.variables));
    if (errors) reportRootErrors(run, errors, { template, names });
    if (!data) return;
    rewrite?.(data);
    mergeInto(run.data, data);
  };
}

function reportRootErrors(
  run: PlanRun,
  errors: readonly GraphQLError[],
  { template, names }: { template: FetchTemplate; names: ReadonlyMap<string, string> },
): void {
  for (const error of errors) {
    if (error.path && error.path.length > 0) {
      const isRenamed = names.size > 0 && error.path.some((key) => names.has(String(key)));
      run.errors.push(
        isRenamed
          ? relocated(
              error,
              error.path.map((key) => names.get(String(key)) ?? key),
            )
          : error,
      );
    } else for (const key of template.keysOf('')) run.errors.push(relocated(error, [names.get(key) ?? key]));
  }
}

function entityStep(node: FetchNode, path: readonly PathSegment[], types: TypeConditions): Step {
  const lookup: Lookup = {
    key: '_entities',
    variable: 'representations',
    paths: [new PlanPath(path, types)],
    project: compileRequirements(node.requires ?? [], types),
    rewriteInput: compileRewrites(node.inputRewrites, types),
    rewriteOutput: null,
    names: renamedKeys(node.outputRewrites),
  };
  const fetch = new EntityFetch(
    new FetchTemplate(node),
    [lookup],
    compileRewrites(node.outputRewrites, types),
  );
  return (run) => fetch.run(run);
}

function batchStep(node: BatchFetchNode, types: TypeConditions): Step {
  const lookups = node.entityBatch.aliases.map((alias): Lookup => ({
    key: alias.alias,
    variable: alias.representationsVariableName,
    paths: alias.paths.map((path) => new PlanPath(path, types)),
    project: compileRequirements(alias.requires, types),
    rewriteInput: compileRewrites(alias.inputRewrites, types),
    rewriteOutput: compileRewrites(alias.outputRewrites, types),
    names: renamedKeys(alias.outputRewrites),
  }));
  const fetch = new EntityFetch(new FetchTemplate(node), lookups, null);
  return (run) => fetch.run(run);
}
