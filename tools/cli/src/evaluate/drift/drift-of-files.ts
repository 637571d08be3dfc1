import { readNumber } from '@sextant/learning';
import {
  type Binning,
  type ColumnCounts,
  type DriftReference,
  type DriftReport,
  measureDriftOfCounts,
  NumericBinning,
} from '@sextant/learning/drift';
import { readCsv } from '../csv-file.js';
import { isMissing } from '../missing-cell.js';
import { addText, countTally, numbersOf, type TextTally } from './column-tally.js';
import { NumberSpool } from './number-spool.js';

/** What a column turned out to be. */
type ReadColumn = { kind: 'numbers'; missing: number } | ({ kind: 'texts' } & TextTally);

interface Reading {
  rows: number;
  columns: Map<string, ReadColumn>;
}

/** Told about the cells that are plain decimals; a column may still turn out to be of texts. */
interface NumberSink {
  add(column: string, value: number): void;
  drop(column: string): void;
}

/** So many numbers are counted together. */
const BATCH = 1_024;

/**
 * Drift between two CSV files of any size: the same figures as of the whole tables. Of the reference, numbers go through a temporary file
 * of eight bytes a cell and come back column by column; of the current file only counts are kept. Texts are counted, up to a million
 * different ones a column.
 *
 * @throws DomainError IMPORT_SOURCE_INVALID for a file that cannot be read, INVALID_INPUT for a column of too many texts
 */
export async function driftOfFiles(
  files: { reference: string; current: string },
  dropped: ReadonlySet<string>,
): Promise<DriftReport> {
  const reference = await readReference(files.reference, dropped);
  const binnings = new Map(reference.columns.map(({ name, binning }) => [name, binning]));
  const sink = new CountingSink(binnings);
  const { rows, columns } = await readColumns(files.current, {
    sink,
    dropped,
    isWanted: (column) => binnings.has(column),
    areTexts: (column) => binnings.get(column) === null,
  });
  const counted = [...columns].map(([name, column]): [string, ColumnCounts | null] => {
    const binning = binnings.get(name);
    if (binning === undefined) return [name, null];
    return [
      name,
      column.kind === 'texts' ? countTally(binning, column, name) : sink.counts(name, column.missing),
    ];
  });
  return measureDriftOfCounts(reference, { rows, columns: new Map(counted) });
}

async function readReference(path: string, dropped: ReadonlySet<string>): Promise<DriftReference> {
  const spool = new NumberSpool();
  try {
    const { rows, columns } = await readColumns(path, {
      sink: spool,
      dropped,
      isWanted: () => true,
      areTexts: () => false,
    });
    return {
      rows,
      columns: [...columns].map(([name, column]) => {
        const numbers = column.kind === 'texts' ? numbersOf(column, name) : spool.read(name);
        const binning = numbers === null ? null : NumericBinning.fit(numbers);
        if (column.kind === 'texts') return { name, binning, counts: countTally(binning, column, name) };
        const counts = countNumbers(binning, numbers ?? new Float64Array(0), column.missing);
        return { name, binning, counts };
      }),
    };
  } finally {
    spool.close();
  }
}

function countNumbers(binning: Binning, values: Float64Array, missing: number): ColumnCounts {
  const counts = binning?.count({ kind: 'numeric', name: '', values });
  if (counts === undefined) return { kind: 'categorical', rows: new Map(), missing };
  return { ...counts, missing: counts.missing + missing };
}

interface ReadOptions {
  sink: NumberSink;
  dropped: ReadonlySet<string>;
  /** columns whose cells are looked at; the others are only named */
  isWanted: (column: string) => boolean;
  /** whether a column is of texts anyway, so that its numbers are kept as they are written */
  areTexts: (column: string) => boolean;
}

/** One pass, and another for columns that began with numbers and are of texts after all. */
async function readColumns(path: string, options: ReadOptions): Promise<Reading> {
  const { sink, dropped, isWanted, areTexts } = options;
  const columns = new Map<string, ReadColumn>();
  const mixed = new Set<string>();
  const seen = new Set<string>();
  const rows = await readCsv(path, undefined, {
    onHeader: (header) => {
      for (const name of header)
        if (!dropped.has(name))
          columns.set(name, areTexts(name) ? noTexts() : { kind: 'numbers', missing: 0 });
    },
    onCell: (name, text) => {
      const column = columns.get(name);
      if (column === undefined || mixed.has(name) || !isWanted(name)) return;
      if (isMissing(text)) column.missing += 1;
      else if (column.kind === 'texts') addText(column.texts, text, name);
      else if (!Number.isNaN(readNumber(text))) {
        seen.add(name);
        sink.add(name, readNumber(text));
      } else if (seen.has(name)) mixed.add(name);
      else columns.set(name, { kind: 'texts', texts: new Map([[text, 1]]), missing: column.missing });
    },
  });
  for (const name of mixed) {
    sink.drop(name);
    columns.set(name, noTexts());
  }
  if (mixed.size > 0) await readTexts(path, { mixed, columns });
  return { rows, columns };
}

async function readTexts(
  path: string,
  { mixed, columns }: { mixed: ReadonlySet<string>; columns: Map<string, ReadColumn> },
): Promise<void> {
  await readCsv(path, undefined, {
    onHeader: () => undefined,
    onCell: (name, text) => {
      const column = columns.get(name);
      if (column === undefined || column.kind !== 'texts' || !mixed.has(name)) return;
      if (isMissing(text)) column.missing += 1;
      else addText(column.texts, text, name);
    },
  });
}

function noTexts(): ReadColumn {
  return { kind: 'texts', texts: new Map(), missing: 0 };
}

/** Numbers of the current file by the bins of the reference, a batch of each column at a time. */
class CountingSink implements NumberSink {
  private readonly batches = new Map<string, { values: Float64Array; count: number }>();
  private readonly totals = new Map<string, ColumnCounts>();

  constructor(private readonly binnings: ReadonlyMap<string, Binning>) {}

  add(column: string, value: number): void {
    const batch = this.batches.get(column) ?? { values: new Float64Array(BATCH), count: 0 };
    if (batch.count === 0) this.batches.set(column, batch);
    batch.values[batch.count++] = value;
    if (batch.count === BATCH) this.flush(column);
  }

  drop(column: string): void {
    this.batches.delete(column);
    this.totals.delete(column);
  }

  counts(column: string, missing: number): ColumnCounts {
    this.flush(column);
    const total = this.totals.get(column) ?? countNumbers(this.binnings.get(column) ?? null, NONE, 0);
    return { ...total, missing: total.missing + missing };
  }

  private flush(column: string): void {
    const batch = this.batches.get(column);
    if (batch === undefined || batch.count === 0) return;
    const now = countNumbers(this.binnings.get(column) ?? null, batch.values.subarray(0, batch.count), 0);
    const before = this.totals.get(column);
    if (before?.kind === 'numeric' && now.kind === 'numeric') {
      for (const [bin, rows] of now.bins.entries()) before.bins[bin] = (before.bins[bin] ?? 0) + rows;
    } else this.totals.set(column, now);
    batch.count = 0;
  }
}

const NONE = new Float64Array(0);
