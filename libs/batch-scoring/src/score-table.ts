import type { ScoreTask } from '@sextant/artefacts';
import {
  type CustomerState,
  type FeatureReader,
  scoreBasis,
  type ScoreBasis,
  scoreFeature,
} from '@sextant/features';
import { addColumn, type FeatureTable } from '@sextant/inference-protocol';

/** A customer's state as it was read. */
export interface ReadCustomer {
  customerId: string;
  state: CustomerState;
}

/** A customer who can be asked about. */
export interface ScoreRow extends ReadCustomer {
  basis: ScoreBasis;
}

/** Makes the columns that a model reads of many customers, by the features that single scoring asks about. */
export class ScoreTable {
  private readonly readers: readonly (readonly [string, FeatureReader])[];
  private readonly now: number;

  /** @param columns  what the model reads; other features are not computed */
  constructor(
    private readonly task: ScoreTask,
    columns: Iterable<string>,
    private readonly asOf: Date,
  ) {
    this.readers = Array.from(columns, (name) => [name, scoreFeature(task, name)] as const);
    this.now = asOf.getTime();
  }

  /** Who can be asked about, with their columns; the others have a state that features cannot be computed of. */
  read(customers: readonly ReadCustomer[]): { rows: ScoreRow[]; table: FeatureTable; unreadable: string[] } {
    try {
      return { ...this.readAll(customers), unreadable: [] };
    } catch {
      // A document that no fold wrote: whatever it broke, the others are as they were.
      const unreadable = customers.filter((customer) => !this.isReadable(customer));
      const others = customers.filter((customer) => !unreadable.includes(customer));
      return { ...this.readAll(others), unreadable: unreadable.map(({ customerId }) => customerId) };
    }
  }

  /** @param rows  that were read before */
  columnsOf(rows: readonly ReadCustomer[]): FeatureTable {
    const table: FeatureTable = { rows: rows.length, numeric: [], categorical: [] };
    for (const [name, read] of this.readers) {
      addColumn(table, name, (i) => {
        const row = rows[i];
        return row === undefined ? null : read(row.state, this.now);
      });
    }
    return table;
  }

  private readAll(customers: readonly ReadCustomer[]): { rows: ScoreRow[]; table: FeatureTable } {
    const rows = customers.map(({ customerId, state }) => ({
      customerId,
      state,
      basis: scoreBasis(this.task, state, this.asOf),
    }));
    return { rows, table: this.columnsOf(rows) };
  }

  private isReadable(customer: ReadCustomer): boolean {
    try {
      this.readAll([customer]);
      return true;
    } catch {
      return false;
    }
  }
}
