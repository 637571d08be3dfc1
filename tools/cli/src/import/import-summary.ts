/** One row that was not taken, with the place to look at. */
export interface Rejection {
  file: string;
  /** 1-based data row. */
  row: number;
  code: string;
  message: string;
  path: string | null;
}

export interface ImportSummary {
  productsUpserted: number;
  eventsAccepted: number;
  eventsDuplicate: number;
  /** Rows not taken, by the importer or by the graph. */
  rejected: number;
  /** The first of them. */
  reasons: Rejection[];
  /** Attempts that failed and were made again. */
  retries: number;
  /** Latest instant up to which the graph has seen events, as it last said. */
  watermark: string | null;
}

const REASONS_KEPT = 20;

export function emptySummary(): ImportSummary {
  return {
    productsUpserted: 0,
    eventsAccepted: 0,
    eventsDuplicate: 0,
    rejected: 0,
    reasons: [],
    retries: 0,
    watermark: null,
  };
}

export function addRejection(summary: ImportSummary, rejection: Rejection): void {
  summary.rejected++;
  if (summary.reasons.length < REASONS_KEPT) summary.reasons.push(rejection);
}

/** The summary for people. */
export function printSummary(summary: ImportSummary): string {
  const { productsUpserted, eventsAccepted, eventsDuplicate, rejected, reasons, retries } = summary;
  const text = [
    `products: ${productsUpserted} written`,
    `events: ${eventsAccepted} accepted, ${eventsDuplicate} already there`,
    `rejected: ${rejected}`,
    ...reasons.map(
      ({ file, row, code, message, path }) =>
        `  ${file} row ${row}: ${code}${path ? ` at ${path}` : ''}: ${message}`,
    ),
    ...(rejected > reasons.length ? [`  … and ${rejected - reasons.length} more`] : []),
    ...(retries > 0 ? [`attempts made again: ${retries}`] : []),
  ];
  return `${text.join('\n')}\n`;
}
