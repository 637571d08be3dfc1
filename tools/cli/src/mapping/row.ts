/** One row of a source: column name → cell. Cells of CSV are texts, of NDJSON any JSON value. */
export interface Row {
  /** 1-based number of the data row; the header does not count. */
  number: number;
  cells: ReadonlyMap<string, unknown>;
}

/** A row that cannot be sent; the row alone is rejected. */
export class RowError extends Error {
  override readonly name = 'RowError';

  constructor(
    readonly path: string,
    message: string,
  ) {
    super(message);
  }
}
