import type { ColumnTable, TableColumn } from '@sextant/learning';
import type { Explainer, Explanation } from '@sextant/learning/explain';
import { WireWriter } from '../wire/wire-writer.js';
import { cellOf } from './feature-table.js';

/** What the price of a quote adds on the way from where the model was asked to the chosen price. */
export interface Move {
  column: string;
  contribution: number;
  value: number;
}

export interface Attributed {
  explanation: Explanation;
  row: number;
  /** the value that they should add up to; what is missing becomes the residual */
  explained: number;
  /** null: what is explained is the answer */
  move: Move | null;
}

/** The field `feature` of every contribution of an explainer, and the columns in the order of their names. */
interface Names {
  fields: readonly Uint8Array[];
  rank: Int32Array;
}

/** Explainers live as long as their version is served. */
const namesOf = new WeakMap<Explainer, Names>();

/** Writes attributions of one table's rows as `Attribution` messages. */
export class AttributionWriter {
  /** the column of the table behind each contribution */
  private readonly columns: (TableColumn | undefined)[];
  private readonly names: Names;
  /** positions of the largest contributions of a row */
  private readonly largest: Int32Array;

  /** @param top  contributions wanted, the largest by magnitude; the others go to the residual. 0: all, in the explainer's order */
  constructor(
    private readonly explainer: Explainer,
    table: ColumnTable,
    top = 0,
  ) {
    const byName = new Map(table.columns.map((column) => [column.name, column]));
    this.columns = explainer.columns.map((name) => byName.get(name));
    this.names = namesFor(explainer);
    this.largest = new Int32Array(top < explainer.columns.length ? top : 0);
  }

  write(writer: WireWriter, field: number, { explanation, row, explained, move }: Attributed): void {
    const { baseValue, contributions } = explanation;
    const { method, columns: names } = this.explainer;
    const start = writer.begin(field);
    writer.text(1, method);
    writer.double(2, baseValue);
    if (this.largest.length > 0 && move === null) {
      writer.double(4, explained - baseValue - this.writeLargest(writer, contributions, row));
      writer.end(start);
      return;
    }
    let residual = explained - baseValue;
    let moved = move?.contribution ?? 0;
    for (const [i, name] of names.entries()) {
      const contribution = contributions[i] ?? 0;
      residual -= contribution;
      if (name === move?.column) moved += contribution;
      else this.writeContribution(writer, i, { contribution, cell: cellOf(this.columns[i], row) });
    }
    if (move) writeFields(writer, nameField(move.column), { contribution: moved, cell: move.value });
    writer.double(4, residual);
    writer.end(start);
  }

  /** Largest first; of equals the one whose name comes first. @returns what they add up to */
  private writeLargest(writer: WireWriter, contributions: Float64Array, row: number): number {
    const { largest } = this;
    let found = 0;
    for (let i = 0; i < contributions.length; i++) {
      let at = found < largest.length ? found++ : largest.length;
      if (at === largest.length && !this.isBefore(contributions, i, largest[at - 1] as number)) continue;
      if (at === largest.length) at -= 1;
      for (; at > 0 && this.isBefore(contributions, i, largest[at - 1] as number); at--)
        largest[at] = largest[at - 1] as number;
      largest[at] = i;
    }
    let sum = 0;
    for (let k = 0; k < found; k++) {
      const i = largest[k] as number;
      const contribution = contributions[i] as number;
      sum += contribution;
      this.writeContribution(writer, i, { contribution, cell: cellOf(this.columns[i], row) });
    }
    return sum;
  }

  private isBefore(contributions: Float64Array, a: number, b: number): boolean {
    const [sizeOfA, sizeOfB] = [Math.abs(contributions[a] as number), Math.abs(contributions[b] as number)];
    if (sizeOfA !== sizeOfB) return sizeOfA > sizeOfB;
    return (this.names.rank[a] as number) < (this.names.rank[b] as number);
  }

  private writeContribution(writer: WireWriter, i: number, shown: Shown): void {
    writeFields(writer, this.names.fields[i], shown);
  }
}

interface Shown {
  contribution: number;
  cell: number | string | null;
}

function writeFields(writer: WireWriter, name: Uint8Array | undefined, { contribution, cell }: Shown): void {
  const start = writer.begin(3);
  if (name) writer.raw(name);
  writer.double(2, contribution);
  if (typeof cell === 'number') writer.presentDouble(3, cell);
  else if (cell !== null) writer.presentText(4, cell);
  writer.end(start);
}

function namesFor(explainer: Explainer): Names {
  const known = namesOf.get(explainer);
  if (known) return known;
  const { columns } = explainer;
  const rank = new Int32Array(columns.length);
  const inOrder = [...columns.keys()].toSorted((a, b) => ((columns[a] ?? '') < (columns[b] ?? '') ? -1 : 1));
  for (const [place, i] of inOrder.entries()) rank[i] = place;
  const made = { fields: columns.map(nameField), rank };
  namesOf.set(explainer, made);
  return made;
}

function nameField(name: string): Uint8Array {
  const writer = new WireWriter(3 * name.length + 8);
  writer.text(1, name);
  return writer.written();
}
