import type { IngestResult, UpsertResult } from '../graph/graph.client.js';
import type { OutgoingRow } from './batch-sender.js';
import { addRejection, type ImportSummary } from './import-summary.js';

interface Sent {
  file: string;
  rows: readonly OutgoingRow[];
}

/** Adds what the graph said of a batch of events to the summary, with the rows that its rejections mean. */
export function recordEvents(summary: ImportSummary, { file, rows }: Sent, result: IngestResult): void {
  summary.eventsAccepted += result.accepted;
  summary.eventsDuplicate += result.duplicates;
  const { watermark } = result;
  if (watermark && (summary.watermark === null || Date.parse(watermark) > Date.parse(summary.watermark)))
    summary.watermark = watermark;
  for (const { index, code, message, path } of result.rejected) {
    addRejection(summary, { file, row: rows[index]?.row ?? 0, code, message, path: path ?? null });
  }
}

/** Adds what the graph said of a batch of products; a user error's field begins with the product's place in the batch. */
export function recordProducts(summary: ImportSummary, { file, rows }: Sent, result: UpsertResult): void {
  summary.productsUpserted += result.upserted;
  const places = new Set<number>();
  for (const { code, message, field } of result.userErrors) {
    const path = Array.isArray(field) ? field.join('.') : (field ?? null);
    const place = Number(/\d+/.exec(path ?? '')?.[0] ?? -1);
    if (places.has(place)) continue;
    places.add(place);
    addRejection(summary, { file, row: rows[place]?.row ?? 0, code, message, path });
  }
}
