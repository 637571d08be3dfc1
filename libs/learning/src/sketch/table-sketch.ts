import { DomainError } from '@sextant/domain';
import { countNumbers } from '../drift/bin-edges.js';
import {
  type CategoricalColumn,
  type ColumnTable,
  numericView,
  type TableColumn,
} from '../tabular/column-table.js';
import type { Slot, SketchPlan } from './column-plan.js';
import { readCounters, writeCounters } from './sketch-bytes.js';

/** Rows of one column by bin of its plan. */
export interface BinCounts {
  /** Numbers: below, the reference's bins, above. Categories: those of the plan, then all others. */
  bins: Float64Array;
  missing: number;
}

/**
 * Counts of a table's rows by the bins of a plan. Counts are whole numbers up to 2^53, so that merging is exact in any order: the sum
 * over workers equals one pass.
 */
export class TableSketch {
  private readonly counters: Float64Array;
  /** column of the last table at which each feature was found */
  private readonly lastAt: Int32Array;
  private counted = 0;

  constructor(readonly plan: SketchPlan) {
    this.counters = new Float64Array(plan.size);
    this.lastAt = Int32Array.from(plan.features, (_, i) => i);
  }

  /** Rows of all tables added. */
  get rows(): number {
    return this.counted;
  }

  /**
   * Counts all rows of a table. A feature that the table lacks is missing in each of them; columns that the plan does not name are not
   * counted. Numbers that come as text are read as numbers where the plan has numbers, and the other way round.
   */
  addTable(table: ColumnTable): void {
    this.counted += table.rows;
    for (let i = 0; i < this.plan.features.length; i++) {
      const slot = this.plan.features[i];
      if (slot === undefined) continue;
      const column = this.find(table, slot, i);
      if (column === undefined) this.addMissing(slot, table.rows);
      else this.addColumn(slot, column);
    }
  }

  /** Counts what the model answered. NaN = missing. @throws RangeError for a name that is not among the plan's scores */
  addScores(name: string, values: ArrayLike<number>): void {
    const slot = this.plan.scores.find(({ plan }) => plan.name === name);
    if (slot === undefined) throw new RangeError(`the plan counts no score "${name}"`);
    this.addMissing(slot, countNumbers(values, slot.edges, this.counters, slot.from));
  }

  /** Adds what another sketch counted. @throws DomainError INVALID_INPUT for another plan */
  merge(other: TableSketch): this {
    const [a, b] = [this.plan.fingerprint, other.plan.fingerprint];
    if (a[0] !== b[0] || a[1] !== b[1] || this.plan.size !== other.plan.size) {
      throw new DomainError(
        'INVALID_INPUT',
        'sketches of different plans cannot be merged: they count other bins',
      );
    }
    this.counted += other.counted;
    const { counters } = other;
    for (let i = 0; i < counters.length; i++) this.counters[i] = (this.counters[i] ?? 0) + (counters[i] ?? 0);
    return this;
  }

  feature(name: string): BinCounts | null {
    return this.countsOf(this.plan.features.find(({ plan }) => plan.name === name));
  }

  score(name: string): BinCounts | null {
    return this.countsOf(this.plan.scores.find(({ plan }) => plan.name === name));
  }

  /** Only for sketches of the same plan; about a byte a counter of small numbers. */
  toBytes(): Uint8Array {
    return writeCounters({ fingerprint: this.plan.fingerprint, rows: this.counted, counters: this.counters });
  }

  /** @throws DomainError INVALID_INPUT for bytes that are damaged or of another plan */
  static fromBytes(plan: SketchPlan, bytes: Uint8Array): TableSketch {
    const sketch = new TableSketch(plan);
    sketch.counted = readCounters(bytes, plan.fingerprint, sketch.counters);
    return sketch;
  }

  /** Columns of one sender's tables stand in the same places again and again. */
  private find({ columns }: ColumnTable, { plan }: Slot, feature: number): TableColumn | undefined {
    const usual = columns[this.lastAt[feature] ?? 0];
    if (usual?.name === plan.name) return usual;
    const at = columns.findIndex(({ name }) => name === plan.name);
    if (at >= 0) this.lastAt[feature] = at;
    return columns[at];
  }

  private addColumn(slot: Slot, column: TableColumn): void {
    if (slot.plan.kind === 'numeric') {
      this.addMissing(slot, countNumbers(numericView(column), slot.edges, this.counters, slot.from));
    } else if (column.kind === 'categorical') this.addCategories(slot, column);
    else
      for (const value of column.values)
        this.addText(slot, Number.isFinite(value) ? String(value) : undefined);
  }

  private addCategories(slot: Slot, { dictionary, codes }: CategoricalColumn): void {
    if (codes.length <= dictionary.length) {
      for (const code of codes) this.addText(slot, dictionary[code]);
      return;
    }
    const binOf = Int32Array.from(dictionary, (text) => slot.binOf.get(text) ?? slot.bins - 1);
    for (let i = 0; i < codes.length; i++) {
      const at = slot.from + (binOf[codes[i] ?? -1] ?? slot.bins);
      this.counters[at] = (this.counters[at] ?? 0) + 1;
    }
  }

  private addText(slot: Slot, text: string | undefined): void {
    const at = slot.from + (text === undefined ? slot.bins : (slot.binOf.get(text) ?? slot.bins - 1));
    this.counters[at] = (this.counters[at] ?? 0) + 1;
  }

  private addMissing({ from, bins }: Slot, rows: number): void {
    this.counters[from + bins] = (this.counters[from + bins] ?? 0) + rows;
  }

  private countsOf(slot: Slot | undefined): BinCounts | null {
    if (slot === undefined) return null;
    const { from, bins } = slot;
    return { bins: this.counters.slice(from, from + bins), missing: this.counters[from + bins] ?? 0 };
  }
}
