/** What a file may hold. Far above what marketing models need, far below what hurts a process. */
export const LIMITS = {
  /** nodes, those of subgraphs included, and those of functions as often as they are called */
  nodes: 100_000,
  /** graphs within graphs */
  depth: 4,
  /** attributes of all nodes */
  attributes: 1_000_000,
  /** numbers and texts in attributes, e.g. of tree ensembles */
  attributeValues: 40_000_000,
  /** characters of a name */
  name: 1_024,
  /** bytes of one tensor, stored or made by the graph out of constants */
  tensorBytes: 512 * 1024 * 1024,
  /** bytes of all initializers */
  initializerBytes: 1024 * 1024 * 1024,
  /** times that a loop may run */
  tripCount: 100_000,
  /** columns of one tensor dimension list */
  rank: 16,
} as const;

/** Versions of operator sets that the runtime knows. */
export const OPSETS: Readonly<Record<string, { least: number; most: number }>> = {
  '': { least: 7, most: 26 },
  'ai.onnx.ml': { least: 1, most: 5 },
  'com.microsoft': { least: 1, most: 1 },
};
