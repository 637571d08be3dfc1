import { DomainError } from '@sextant/domain';
import type { GraphClient } from '../graph/graph.client.js';
import { contractLine } from '../mapping/contract-rows.js';
import type { FileMapping, Mapping } from '../mapping/mapping-schema.js';
import { RowError } from '../mapping/row.js';
import { inlineProducts, type MappedRow, RowMapper } from '../mapping/row-mapper.js';
import { csvRows, lines, ndjsonRows, type ReadRow } from '../source/rows.js';
import { findSource, openSource, type SourceFile, sourceError } from '../source/source-file.js';
import { BatchSender } from './batch-sender.js';
import { addRejection, emptySummary, type ImportSummary } from './import-summary.js';
import { recordEvents, recordProducts } from './recorders.js';

/** The catalogue takes fewer rows in a call than the event store. */
const PRODUCTS_PER_CALL = 500;

export interface ImportOptions {
  mapping: Mapping;
  /** How messages call the mapping. */
  mappingName: string;
  dataFolder: string;
  graph: Pick<GraphClient, 'ingestEvents' | 'upsertProducts'>;
  batch: number;
  inFlight: number;
  progress?: (file: string, share: number, summary: ImportSummary) => void;
}

interface PlannedFile {
  file: FileMapping;
  source: SourceFile;
  mapper: RowMapper;
}

interface Senders {
  events: BatchSender;
  products: BatchSender;
}

/**
 * Reads every file of the mapping and sends what it makes of the rows. All files are looked at before anything is sent: they
 * must exist, and a CSV header must have the columns that the mapping names.
 *
 * @throws DomainError MAPPING_INVALID, IMPORT_SOURCE_INVALID, or what the graph refused with
 */
export async function runImport(options: ImportOptions): Promise<ImportSummary> {
  const summary = emptySummary();
  const planned = options.mapping.files.flatMap((file) => planFile(file, options) ?? []);
  const inline = inlineProducts(options.mapping);
  for (const plan of planned) await checkHeader(plan, options.mappingName);
  await withSenders(options, summary, options.mappingName, async ({ products }) => {
    for (const [index, product] of inline.entries())
      await products.add({ json: JSON.stringify(product), row: index + 1 });
  });
  for (const plan of planned) {
    await withSenders(options, summary, plan.file.path, (senders) =>
      importFile(plan, { options, summary, senders }),
    );
  }
  return summary;
}

function planFile(file: FileMapping, { dataFolder, mapping }: ImportOptions): PlannedFile | null {
  const mapper = new RowMapper(mapping.name, file);
  const source = findSource(dataFolder, file.path);
  if (source) return { file, source, mapper };
  if (file.optional) return null;
  throw new DomainError(
    'IMPORT_SOURCE_INVALID',
    `${file.path} is not in ${dataFolder} (nor is it with or without .gz): check --data`,
  );
}

function isCsv({ path, format }: FileMapping): boolean {
  return format === undefined ? !/\.(ndjson|jsonl)(\.gz)?$/.test(path) : format === 'csv';
}

/** Reads as far as the first row. */
async function checkHeader({ file, source, mapper }: PlannedFile, mappingName: string): Promise<void> {
  if (file.as !== undefined || !isCsv(file)) return;
  const onHeader = (columns: readonly string[]) => {
    const named = [...mapper.columns, ...Object.keys(file.columns)];
    const absent = named.find((column) => !columns.includes(column));
    if (absent === undefined) return;
    throw new DomainError(
      'MAPPING_INVALID',
      `mapping ${mappingName} names the column ${absent}, but ${file.path} has ${columns.join(', ')}`,
    );
  };
  try {
    const rows = csvRows(openSource(source), { name: file.path, delimiter: file.delimiter, onHeader });
    await rows.next();
    await rows.return(undefined);
  } catch (error) {
    throw sourceError(error, source);
  }
}

/** Senders of one file; when the work is done everything it gave them has been taken by the graph. */
async function withSenders(
  options: ImportOptions,
  summary: ImportSummary,
  file: string,
  work: (senders: Senders) => Promise<void>,
): Promise<void> {
  const { graph } = options;
  const products = new BatchSender(
    async (rows) =>
      recordProducts(summary, { file, rows }, await graph.upsertProducts(rows.map(({ json }) => json))),
    { ...options, batch: Math.min(options.batch, PRODUCTS_PER_CALL) },
  );
  const events = new BatchSender(
    async (rows) =>
      recordEvents(summary, { file, rows }, await graph.ingestEvents(rows.map(({ json }) => json))),
    options,
  );
  await work({ events, products });
  await products.drain();
  await events.drain();
}

interface Work {
  options: ImportOptions;
  summary: ImportSummary;
  senders: Senders;
}

async function importFile(plan: PlannedFile, work: Work): Promise<void> {
  const { file, source, mapper } = plan;
  let read = 0;
  const stream = openSource(source, (bytes) => {
    read += bytes;
    work.options.progress?.(file.path, source.bytes === 0 ? 1 : read / source.bytes, work.summary);
  });
  try {
    if (file.as !== undefined)
      return await sendContractRows(lines(stream, file.path), { file, as: file.as }, work);
    const rows = isCsv(file)
      ? csvRows(stream, { name: file.path, delimiter: file.delimiter, onHeader: () => undefined })
      : ndjsonRows(stream, file.path);
    await sendMappedRows(rows, { file, mapper }, work);
  } catch (error) {
    throw sourceError(error, source);
  } finally {
    stream.destroy();
  }
}

async function sendContractRows(
  rows: ReturnType<typeof lines>,
  { file, as }: { file: FileMapping; as: 'events' | 'products' },
  { summary, senders }: Work,
): Promise<void> {
  for await (const { number, text } of rows) {
    const json = orReject(() => contractLine(text, as), { summary, file: file.path, row: number });
    if (json !== null) await senders[as].add({ json, row: number });
  }
}

async function sendMappedRows(
  rows: AsyncGenerator<ReadRow>,
  { file, mapper }: { file: FileMapping; mapper: RowMapper },
  { summary, senders }: Work,
): Promise<void> {
  for await (const read of rows) {
    const number = 'row' in read ? read.row.number : read.number;
    const mapped = orReject(
      (): MappedRow => {
        if ('error' in read) throw read.error;
        return mapper.map(read.row);
      },
      { summary, file: file.path, row: number },
    );
    if (mapped === null) continue;
    for (const product of mapped.products)
      await senders.products.add({ json: JSON.stringify(product), row: number });
    for (const event of mapped.events) await senders.events.add({ json: JSON.stringify(event), row: number });
  }
}

/** Null, and a line in the summary, when the row cannot be sent. */
function orReject<T>(
  work: () => T,
  { summary, file, row }: { summary: ImportSummary; file: string; row: number },
): T | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    addRejection(summary, {
      file,
      row,
      code: 'INVALID_INPUT',
      message: error.message,
      path: error.path === '' ? null : error.path,
    });
    return null;
  }
}
