import { DomainError } from '@sextant/domain';
import type { Cells } from './cells.js';
import type { Row } from './row.js';

/** `{row}` is the number of the data row, unless the file has a column of that name. */
const ROW = 'row';

/** A text with cells in it: "{user_id}-{item_id}"; `{{` and `}}` stand for braces. */
export interface Template {
  columns: readonly string[];
  /** Null when one of the cells is missing. @throws RowError when a cell holds a list or a block */
  fill(row: Row, cells: Cells): string | null;
}

/** @throws DomainError MAPPING_INVALID when a brace is not closed */
export function parseTemplate(text: string): Template {
  const parts: ({ literal: string } | { column: string })[] = [];
  let rest = text;
  while (rest !== '') {
    const match = /^(?:\{\{|\}\}|\{([^{}]+)\}|[^{}]+)/.exec(rest);
    if (!match)
      throw new DomainError(
        'MAPPING_INVALID',
        `template "${text}" has an open brace: write {column}, or {{ for a brace`,
      );
    const [whole, column] = match;
    parts.push(
      column === undefined
        ? { literal: whole === '{{' || whole === '}}' ? whole.slice(1) : whole }
        : { column: column.trim() },
    );
    rest = rest.slice(whole.length);
  }
  const columns = parts.flatMap((part) => ('column' in part ? [part.column] : []));
  return {
    columns: columns.filter((column) => column !== ROW),
    fill(row, cells) {
      let filled = '';
      for (const part of parts) {
        const piece = 'literal' in part ? part.literal : fillColumn(row, cells, part.column);
        if (piece === null) return null;
        filled += piece;
      }
      return filled;
    },
  };
}

function fillColumn(row: Row, cells: Cells, column: string): string | null {
  if (column === ROW && !row.cells.has(ROW)) return String(row.number);
  return cells.text(row, column);
}
