import { type Explainer, parseExplainer } from '@sextant/learning/explain';
import type { Job, JobResult } from './thread-messages.js';

/** Attributes a model's output to its raw columns, row by row; it needs no ONNX session. */
export class RowExplainer {
  private constructor(private readonly explainer: Explainer) {}

  /** @param width  columns of the model's input; the first explanation builds the tables that the others look up */
  static open(json: string, width: number): RowExplainer {
    const explainer = parseExplainer(json);
    explainer.explainRows(new Float32Array(width), 1);
    return new RowExplainer(explainer);
  }

  /** @returns one float64 tensor [rows, columns + 1], the base value first */
  explain({ key, rows, inputs }: Job): JobResult {
    const features = inputs[0]?.data;
    if (!(features instanceof Float32Array)) throw new Error(`${key} cannot be explained`);
    const startedAt = performance.now();
    const columns = this.explainer.columns.length + 1;
    const table = new Float64Array(rows * columns);
    for (const [row, { baseValue, contributions }] of this.explainer.explainRows(features, rows).entries()) {
      table[row * columns] = baseValue;
      table.set(contributions, row * columns + 1);
    }
    return {
      outputs: [{ data: table, dims: [rows, columns] }],
      computeMs: performance.now() - startedAt,
    };
  }
}
