import { QueryPlanner } from '@graphql-hive/router-query-planner';
import type { Supergraph } from '../supergraph/supergraph.js';
import type { QueryPlan } from './query-plan.js';

/** The text of an operation for the planner, which knows the whole supergraph. */
export interface PlannedText {
  text: string;
  operationName: string | null;
}

/**
 * The planner of the Hive router, written in Rust; it plans on a thread of its own.
 *
 * Source: https://github.com/graphql-hive/router, MIT.
 */
export class Planner {
  private readonly planner: QueryPlanner;
  private readonly names: ReadonlyMap<string, string>;

  constructor({ sdl, subgraphs }: Pick<Supergraph, 'sdl' | 'subgraphs'>) {
    this.planner = new QueryPlanner(sdl);
    this.names = new Map(subgraphs.map(({ graph, name }) => [graph, name]));
  }

  /**
   * Draws which labels of progressive overrides (`@override(label: "percent(…)")`) hold for one request; other labels never do.
   *
   * @returns a percentage to plan with: one of few, so that plans can be kept by it
   */
  drawPercentage(random: () => number = Math.random): number {
    const percentages = this.planner.overridePercentages;
    if (percentages.length === 0) return 100;
    const drawn = random() * 100;
    const sorted = percentages.toSorted((one, other) => one - other);
    const below = sorted.filter((percentage) => percentage < drawn).at(-1);
    const next = sorted.find((percentage) => percentage >= drawn) ?? 100;
    return below === undefined ? next / 2 : (below + next) / 2;
  }

  async plan({ text, operationName }: PlannedText, percentage: number): Promise<QueryPlan> {
    const plan = await this.planner.planAsync(text, operationName, new Set(), percentage);
    return plan as unknown as QueryPlan;
  }

  /** The subgraph's name for a name that a plan uses. */
  nameOf(service: string): string {
    return this.names.get(service) ?? service;
  }
}
