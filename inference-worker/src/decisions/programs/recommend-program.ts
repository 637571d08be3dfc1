import { SlateRanker, strongestSources } from '@sextant/learning/recommend';
import type { TensorArray } from '../../tensors/tensor.js';
import {
  CatalogueWire,
  type RecommendRequest,
  type RecommendRow,
  type SlateReasons,
} from '../wire/recommend-wire.js';
import type { WireWriter } from '../wire/wire-writer.js';
import type { DecisionProgram, Part, Question } from './decision-program.js';
import type { SlateModel, WeighedSources } from './slate-model.js';
import { type RunRows, SparseScorer } from './sparse-scorer.js';

const LONGEST_SLATE = 100;

interface PreparedRow {
  row: RecommendRow;
  sources: WeighedSources;
}
interface PreparedPart {
  rows: PreparedRow[];
  reasons: number;
}

/** `Recommend`: ranks items for each row's history, by the model of customers or by the model of sessions. */
export class RecommendProgram implements DecisionProgram {
  private readonly wire: CatalogueWire;
  private readonly ranker: SlateRanker;
  private readonly scores: Float64Array;

  private constructor(
    private readonly model: SlateModel,
    private readonly sparse: SparseScorer | null,
  ) {
    this.wire = new CatalogueWire(model.items);
    this.ranker = new SlateRanker(model.items.length, LONGEST_SLATE);
    this.scores = new Float64Array(model.items.length);
  }

  /** @param isSparse  whether scores may be summed along the histories instead of by the ONNX model */
  static async open(model: SlateModel, run: RunRows, isSparse: boolean): Promise<RecommendProgram> {
    return new RecommendProgram(model, isSparse ? await SparseScorer.open(model, run) : null);
  }

  ask(parts: readonly Part[]): (Question | Error)[] {
    const prepared = parts.map((part) => this.prepare(part));
    const rows = prepared.flatMap((each) => (each instanceof Error ? [] : each.rows));
    const sources = rows.reduce((sum, each) => sum + each.sources.items.length, 0);
    const isSparse = this.sparse?.isFaster(rows.length, sources) ?? false;
    return prepared.map((each) => (each instanceof Error ? each : this.question(each, isSparse)));
  }

  private prepare({ request, firstRow }: Part): PreparedPart | Error {
    try {
      return this.weigh(this.wire.read(request, firstRow));
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private weigh({ rows, reasonsPerItem }: RecommendRequest): PreparedPart {
    return {
      rows: rows.map((row) => ({ row, sources: this.model.weigh(row.history) })),
      reasons: reasonsPerItem,
    };
  }

  private question(part: PreparedPart, isSparse: boolean): Question {
    const { width, items } = this.model;
    return {
      rows: isSparse ? 0 : part.rows.length,
      write: (input, at) => {
        for (const [i, { sources }] of part.rows.entries()) {
          const from = (at + i) * width;
          this.model.fill((input as Float32Array).subarray(from, from + width), sources);
        }
      },
      answer: (output, writer) => {
        for (const [i, each] of part.rows.entries()) {
          const scores = isSparse
            ? this.sparseScores(each.sources)
            : scoresOf(output, i * items.length, items.length);
          this.writeSlate(writer, each, { scores, reasons: part.reasons });
        }
      },
    };
  }

  private sparseScores(sources: WeighedSources): Float64Array {
    this.sparse?.score(sources, this.scores);
    return this.scores;
  }

  private writeSlate(
    writer: WireWriter,
    { row, sources }: PreparedRow,
    { scores, reasons }: { scores: Float32Array | Float64Array; reasons: number },
  ): void {
    const { ranker, model } = this;
    ranker.next();
    for (const item of row.exclude) ranker.bar(item);
    const barred = model.barred(sources);
    for (let i = 0; i < barred.length; i++) ranker.bar(barred[i] as number);
    const ranked = ranker.rank(scores, row.first);
    const start = writer.begin(2);
    const found = reasons === 0 ? null : this.reasons(sources, ranked, reasons);
    for (let i = 0; i < ranked.length; i++) {
      const item = ranked[i] as number;
      this.wire.writeItem(writer, { item, score: scores[item] as number }, { i, reasons: found });
    }
    writer.uint32(2, sources.items.length);
    writer.end(start);
  }

  private reasons(sources: WeighedSources, ranked: Int32Array, top: number): SlateReasons {
    const order = this.model.orderOf(sources);
    const found = strongestSources({
      items: ranked,
      sources: sources.items.length,
      top,
      contribution: (k, item) => this.model.contribution(sources, k, item),
      ...(order ? { order } : {}),
    });
    return { ...found, top, items: sources.items };
  }
}

function scoresOf(output: TensorArray, from: number, items: number): Float32Array {
  return (output as Float32Array).subarray(from, from + items);
}
