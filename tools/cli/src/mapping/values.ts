import type { Cells, Scalar } from './cells.js';
import { isComparison, meets } from './conditions.js';
import type { ColumnValue, ValueMapping } from './mapping-schema.js';
import type { Row } from './row.js';
import { parseTemplate } from './templates.js';

/** How one value of an event or a product comes from a row. */
export interface ValueReader {
  columns: readonly string[];
  /** Null when the row does not have it. @throws RowError when the cell does not fit the type */
  read(row: Row, cells: Cells): Scalar | string[] | null;
}

/** @throws DomainError MAPPING_INVALID when a template is malformed */
export function valueReader(mapping: ValueMapping): ValueReader {
  if (typeof mapping === 'string') {
    const template = parseTemplate(mapping);
    return { columns: template.columns, read: (row, cells) => template.fill(row, cells) };
  }
  if (typeof mapping !== 'object') return { columns: [], read: () => mapping };
  return { columns: [mapping.column], read: columnReader(mapping) };
}

function columnReader({ column, type, missing, split, ...comparison }: ColumnValue): ValueReader['read'] {
  const tokens = missing && new Set(missing);
  if (isComparison(comparison)) {
    return (row, cells) => {
      const text = cells.text(row, column, tokens);
      return text === null ? null : meets(text, comparison, column);
    };
  }
  if (split === undefined) return (row, cells) => cells.value(row, column, { type, missing: tokens });
  return (row, cells) => {
    const text = cells.text(row, column, tokens);
    return text === null
      ? null
      : text
          .split(split)
          .map((part) => part.trim())
          .filter((part) => part !== '');
  };
}
