import { SlateRanker, strongestSources } from '@sextant/learning/recommend';
import type { TableColumn } from '@sextant/learning';
import type { CountedRows, DecisionCounter } from '../../monitoring/decision-counter.js';
import type { TensorArray } from '../../tensors/tensor.js';
import {
  CatalogueWire,
  type RecommendRequest,
  type RecommendRow,
  type SlateReasons,
  SUMS,
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
  isCounted: boolean;
}

/** `Recommend`: ranks items for each row's history, by the model of customers or by the model of sessions. */
export class RecommendProgram implements DecisionProgram {
  private readonly wire: CatalogueWire;
  private readonly ranker: SlateRanker;
  private readonly scores: Float64Array;

  private constructor(
    private readonly model: SlateModel,
    private readonly sparse: SparseScorer | null,
    private readonly counter: DecisionCounter | null,
  ) {
    this.wire = new CatalogueWire(model.items);
    this.ranker = new SlateRanker(model.items.length, LONGEST_SLATE);
    this.scores = new Float64Array(model.items.length);
  }

  /** @param options.isSparse  whether scores may be summed along the histories instead of by the ONNX model */
  static async open(
    model: SlateModel,
    run: RunRows,
    { isSparse, counter }: { isSparse: boolean; counter: DecisionCounter | null },
  ): Promise<RecommendProgram> {
    return new RecommendProgram(model, isSparse ? await SparseScorer.open(model, run) : null, counter);
  }

  ask(parts: readonly Part[]): (Question | Error)[] {
    const prepared = parts.map((part) => this.prepare(part));
    const rows = prepared.flatMap((each) => (each instanceof Error ? [] : each.rows));
    const sources = rows.reduce((sum, each) => sum + each.sources.items.length, 0);
    const isSparse = this.sparse?.isFaster(rows.length, sources) ?? false;
    return prepared.map((each) =>
      each instanceof Error ? each : this.question(each, this.isAlongHistory(each, isSparse)),
    );
  }

  private prepare({ request, firstRow, isCounted }: Part): PreparedPart | Error {
    try {
      return { ...this.weigh(this.wire.read(request, firstRow)), isCounted };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private weigh({ rows, reasonsPerItem }: RecommendRequest): Omit<PreparedPart, 'isCounted'> {
    return {
      rows: rows.map((row) => ({ row, sources: this.model.weigh(row.history) })),
      reasons: reasonsPerItem,
    };
  }

  /** As its rows ask for, where that can be done. */
  private isAlongHistory({ rows }: PreparedPart, isFaster: boolean): boolean {
    const wanted = rows[0]?.row.sums ?? 0;
    return wanted === 0 ? isFaster : wanted === SUMS.ALONG_HISTORY && this.sparse !== null;
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
        const best = new Float64Array(part.rows.length);
        for (const [i, each] of part.rows.entries()) {
          const scores = isSparse
            ? this.sparseScores(each.sources)
            : scoresOf(output, i * items.length, items.length);
          const sums = isSparse ? SUMS.ALONG_HISTORY : SUMS.BY_PRODUCT;
          best[i] = this.writeSlate(writer, each, { scores, sums, reasons: part.reasons });
        }
        if (part.isCounted) this.counter?.count(countedSlates(part.rows, best));
      },
    };
  }

  private sparseScores(sources: WeighedSources): Float64Array {
    this.sparse?.score(sources, this.scores);
    return this.scores;
  }

  /** @returns the score of the first item; NaN for an empty slate */
  private writeSlate(
    writer: WireWriter,
    { row, sources }: PreparedRow,
    { scores, sums, reasons }: { scores: Float32Array | Float64Array; sums: number; reasons: number },
  ): number {
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
    writer.uint32(3, sums);
    writer.end(start);
    return scores[ranked[0] ?? -1] ?? Number.NaN;
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

/** What is watched of slates: how much was known of whom they are for, and how sure the model is of the first item. */
function countedSlates(rows: readonly PreparedRow[], best: Float64Array): CountedRows {
  const column = (name: string, value: (row: PreparedRow) => number): TableColumn => ({
    kind: 'numeric',
    name,
    values: Float64Array.from(rows, value),
  });
  // Known items once each, as in training; of unknown ones only their number is there.
  const unknown = ({ row: { history, historyItems } }: PreparedRow): number => historyItems - history.length;
  const items = (row: PreparedRow): number => row.sources.items.length + unknown(row);
  const columns = [
    column('history_items', items),
    column('unknown_share', (row) => unknown(row) / items(row)),
  ];
  return { table: { rows: rows.length, columns }, scores: { top_score: best } };
}
