import { Cells } from './cells.js';
import { holds } from './conditions.js';
import { eventMapper, type EventInput, type EventMapper } from './event-mapper.js';
import type { FileMapping, Mapping } from './mapping-schema.js';
import { productMapper, type ProductInput, type ProductMapper } from './product-mapper.js';
import type { Row } from './row.js';

export interface MappedRow {
  events: readonly EventInput[];
  products: readonly ProductInput[];
}

const NOTHING: MappedRow = { events: [], products: [] };

/** Turns the rows of one file into events and products, as one block of the mapping says. */
export class RowMapper {
  /** Columns that must be in the file. */
  readonly columns: ReadonlySet<string>;
  private readonly cells: Cells;
  private readonly events: readonly EventMapper[];
  private readonly products: readonly ProductMapper[];
  private readonly wantsOthers: boolean;

  constructor(
    mappingName: string,
    private readonly file: FileMapping,
  ) {
    this.cells = new Cells(file);
    const fallback = `${mappingName}/${file.path.replace(/[{}]/g, '$&$&')}/{row}`;
    this.events = file.events.map((event, index) =>
      eventMapper(event, file.events.length > 1 ? `${fallback}/${index + 1}` : fallback, this.cells),
    );
    this.products = file.products.map((product) => productMapper(product, this.cells));
    this.wantsOthers = file.events.some((event) => event.allOtherColumns);
    this.columns = new Set([
      ...[...this.events, ...this.products].flatMap(({ columns }) => columns),
      ...file.where.map(({ column }) => column),
    ]);
  }

  /** @throws RowError when a part of the row does not fit; then nothing of the row is sent */
  map(row: Row): MappedRow {
    if (!holds(row, this.file.where, this.cells)) return NOTHING;
    const others = this.wantsOthers ? this.otherColumns(row) : {};
    return {
      events: this.events.flatMap((event) => event.map(row, others) ?? []),
      products: this.products.flatMap((product) => product.map(row) ?? []),
    };
  }

  /** What `allOtherColumns` adds: every column that is neither dropped nor named by the filter, an event or a product. */
  private otherColumns(row: Row): Record<string, unknown> {
    const others: Record<string, unknown> = {};
    for (const column of row.cells.keys()) {
      if (this.columns.has(column) || this.cells.isDropped(column)) continue;
      const value = this.cells.value(row, column);
      if (value !== null) others[column] = value;
    }
    return others;
  }
}

/** The products that stand in the mapping file itself. */
export function inlineProducts({ products }: Pick<Mapping, 'products'>): ProductInput[] {
  const cells = new Cells({ missing: [], columns: {} });
  return products.flatMap(
    (product, index) => productMapper(product, cells).map({ number: index + 1, cells: new Map() }) ?? [],
  );
}
