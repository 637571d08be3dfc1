import type { SlateModel, WeighedSources } from './slate-model.js';

/** Runs rows of the ONNX model's input. @returns its first output */
export type RunRows = (input: Float32Array<ArrayBuffer>, rows: number) => Promise<Float32Array>;

/** Of the largest score; what float32 sums in another order differ by is far below. */
const TOLERANCE = 1e-4;
/** Histories that the two ways are compared on. */
const PROBE_LENGTHS = [0, 1, 7];
const PROBE_ROWS = 32;

/** Milliseconds that scoring takes: along the history's rows only, or by the ONNX model over the whole matrix. */
interface Costs {
  perSource: number;
  perRun: number;
  perRow: number;
}

/**
 * A history names a few items of thousands, and the rows of the others need not be read: the same sums as the ONNX model's product, from
 * the weights that the reasons are taken from. It is used only where it was found equal to the ONNX model at load, and where the times
 * measured then say that it is faster.
 */
export class SparseScorer {
  private constructor(
    private readonly rows: Float32Array,
    /** scores of an empty history */
    private readonly base: Float64Array,
    private readonly costs: Costs,
  ) {}

  /** @returns null where the ONNX model does not compute these sums */
  static async open(model: SlateModel, run: RunRows): Promise<SparseScorer | null> {
    const { rows } = model;
    if (rows === null) return null;
    const probes = PROBE_LENGTHS.map((length) => model.weigh(probeHistory(length, model.items.length)));
    const expected = await run(inputOf(model, probes), probes.length);
    const width = model.items.length;
    const free = { perSource: 0, perRun: 0, perRow: 0 };
    const scorer = new SparseScorer(rows, Float64Array.from(expected.subarray(0, width)), free);
    const out = new Float64Array(width);
    for (const [i, probe] of probes.entries()) {
      scorer.score(probe, out);
      if (!isClose(out, expected.subarray(i * width, (i + 1) * width))) return null;
    }
    return new SparseScorer(rows, scorer.base, await measure(scorer, model, run));
  }

  /** Whether rows with so many sources together are scored faster this way. */
  isFaster(rows: number, sources: number): boolean {
    const { perSource, perRun, perRow } = this.costs;
    return (sources + rows) * perSource < perRun + rows * perRow;
  }

  /** @param out  shape [items], overwritten */
  score({ items, weights, own }: WeighedSources, out: Float64Array): void {
    const { rows, base } = this;
    const width = out.length;
    out.set(base);
    let k = 0;
    for (; k + 4 <= items.length; k += 4) this.addFour(items, weights, k, out);
    for (; k < items.length; k++) {
      const [from, weight] = [(items[k] as number) * width, weights[k] as number];
      for (let j = 0; j < width; j++) out[j] = (out[j] as number) + weight * (rows[from + j] as number);
    }
    if (own === null) return;
    for (let i = 0; i < items.length; i++) {
      const item = items[i] as number;
      out[item] = (out[item] as number) + (own[i] as number);
    }
  }

  /** Four rows at once, so that the sums are read and written a quarter as often. */
  private addFour(items: ArrayLike<number>, weights: ArrayLike<number>, k: number, out: Float64Array): void {
    const { rows } = this;
    const width = out.length;
    const [a, b] = [(items[k] as number) * width, (items[k + 1] as number) * width];
    const [c, d] = [(items[k + 2] as number) * width, (items[k + 3] as number) * width];
    const [wa, wb] = [weights[k] as number, weights[k + 1] as number];
    const [wc, wd] = [weights[k + 2] as number, weights[k + 3] as number];
    for (let j = 0; j < width; j++) {
      out[j] =
        (out[j] as number) +
        (wa * (rows[a + j] as number) + wb * (rows[b + j] as number)) +
        (wc * (rows[c + j] as number) + wd * (rows[d + j] as number));
    }
  }
}

/** Items spread over the catalogue. */
function probeHistory(length: number, items: number): number[] {
  return Array.from({ length }, (_, i) => Math.floor(((i + 0.5) * items) / length));
}

function inputOf(model: SlateModel, sources: readonly WeighedSources[]): Float32Array<ArrayBuffer> {
  const input = new Float32Array(sources.length * model.width);
  sources.forEach((each, i) => model.fill(input.subarray(i * model.width, (i + 1) * model.width), each));
  return input;
}

function isClose(actual: Float64Array, expected: Float32Array): boolean {
  let largest = 0;
  let furthest = 0;
  for (const [i, value] of actual.entries()) {
    largest = Math.max(largest, Math.abs(value));
    furthest = Math.max(furthest, Math.abs(value - (expected[i] as number)));
  }
  return furthest <= TOLERANCE * largest;
}

/** The fastest of a few: what else the machine did meanwhile only adds. */
async function measure(scorer: SparseScorer, model: SlateModel, run: RunRows): Promise<Costs> {
  const sources = model.weigh(probeHistory(PROBE_ROWS, model.items.length));
  const one = inputOf(model, [sources]);
  const many = inputOf(model, new Array<WeighedSources>(PROBE_ROWS).fill(sources));
  const out = new Float64Array(model.items.length);
  const sparseMs = await fastest(async () => scorer.score(sources, out));
  const oneMs = await fastest(() => run(one, 1));
  const manyMs = await fastest(() => run(many, PROBE_ROWS));
  const perRow = Math.max(0, (manyMs - oneMs) / (PROBE_ROWS - 1));
  return { perSource: sparseMs / (sources.items.length + 1), perRun: Math.max(0, oneMs - perRow), perRow };
}

async function fastest(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const startedAt = performance.now();
    await work();
    best = Math.min(best, performance.now() - startedAt);
  }
  return best;
}
