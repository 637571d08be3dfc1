import { constant } from './onnx-model.js';

export interface LifetimeLimits {
  /** Longest horizon in periods; a longer one counts as this. */
  maxHorizon: number;
  /** Most repeat purchases; more count as this many. Sizes the tables of the BG/NBD. */
  maxFrequency: number;
}

/** Nodes of a graph that belong together, with their constants. */
export interface Part {
  nodes: object[];
  initializers: object[];
}

export function scalar(name: string, value: number): object {
  return constant(name, [], Float64Array.of(value));
}
