import type { ColumnTable, TableColumn } from '@sextant/learning';
import type { Explainer, Explanation } from '@sextant/learning/explain';
import type { WireWriter } from '../wire/wire-writer.js';
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

/** Writes attributions of one table's rows as `Attribution` messages. */
export class AttributionWriter {
  /** the column of the table behind each contribution */
  private readonly columns: (TableColumn | undefined)[];

  constructor(
    private readonly explainer: Explainer,
    table: ColumnTable,
  ) {
    const byName = new Map(table.columns.map((column) => [column.name, column]));
    this.columns = explainer.columns.map((name) => byName.get(name));
  }

  write(
    writer: WireWriter,
    field: number,
    { explanation: { baseValue, contributions }, row, explained, move }: Attributed,
  ): void {
    const { method, columns: names } = this.explainer;
    const start = writer.begin(field);
    writer.text(1, method);
    writer.double(2, baseValue);
    let residual = explained - baseValue;
    let moved = move?.contribution ?? 0;
    for (const [i, name] of names.entries()) {
      const contribution = contributions[i] ?? 0;
      residual -= contribution;
      if (name === move?.column) moved += contribution;
      else writeContribution(writer, name, contribution, cellOf(this.columns[i], row));
    }
    if (move) writeContribution(writer, move.column, moved, move.value);
    writer.double(4, residual);
    writer.end(start);
  }
}

function writeContribution(
  writer: WireWriter,
  feature: string,
  contribution: number,
  cell: number | string | null,
): void {
  const start = writer.begin(3);
  writer.text(1, feature);
  writer.double(2, contribution);
  if (typeof cell === 'number') writer.presentDouble(3, cell);
  else if (cell !== null) writer.presentText(4, cell);
  writer.end(start);
}
