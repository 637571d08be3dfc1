import { type Cells } from './cells.js';
import { holds } from './conditions.js';
import type { EventMapping } from './mapping-schema.js';
import { type Row, RowError } from './row.js';
import { parseTemplate } from './templates.js';
import { timeReader } from './times.js';
import { valueReader } from './values.js';

/** An event as the graph's `EventInput` takes it. */
export interface EventInput {
  id: string;
  type: string;
  at: string;
  customerRef?: string;
  properties: Record<string, unknown>;
  source?: string;
}

export interface EventMapper {
  /** Columns that this event is made of. */
  columns: readonly string[];
  /** Null when its condition does not hold. @throws RowError when the row cannot give it */
  map(row: Row, others: Readonly<Record<string, unknown>>): EventInput | null;
}

/** @param fallbackId  template of the id when the mapping gives none */
export function eventMapper(mapping: EventMapping, fallbackId: string, cells: Cells): EventMapper {
  const id = parseTemplate(mapping.id ?? fallbackId);
  const customer = mapping.customer === undefined ? null : parseTemplate(mapping.customer);
  const source = mapping.source === undefined ? null : parseTemplate(mapping.source);
  const at = timeReader(mapping.at);
  const properties = Object.entries(mapping.properties).map(([name, value]) => ({
    name,
    value: valueReader(value),
  }));
  const conditions = mapping.when ?? [];
  const read = (row: Row, template: ReturnType<typeof parseTemplate>, key: string) => {
    const text = template.fill(row, cells);
    if (text === null || text === '')
      throw new RowError(key, `${key} needs ${template.columns.join(' and ')}, which is missing`);
    return text;
  };
  return {
    columns: [id, customer, source, at, ...properties.map(({ value }) => value)]
      .flatMap((part) => part?.columns ?? [])
      .concat(conditions.map(({ column }) => column)),
    map(row, others) {
      if (!holds(row, conditions, cells)) return null;
      const own: Record<string, unknown> = mapping.allOtherColumns ? { ...others } : {};
      for (const { name, value } of properties) {
        const given = value.read(row, cells);
        if (given !== null) own[name] = given;
      }
      return {
        id: read(row, id, 'id'),
        type: mapping.type,
        at: at.read(row, cells),
        ...(customer === null ? {} : { customerRef: read(row, customer, 'customer') }),
        properties: own,
        ...(source === null ? {} : { source: read(row, source, 'source') }),
      };
    },
  };
}
