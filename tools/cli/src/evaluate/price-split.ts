import { DomainError } from '@sextant/domain';
import { isTestRow } from '@sextant/learning';
import type { CsvFile } from './csv-file.js';

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/**
 * Which rows of the file are test rows: `crc32` by row number, `last:0.2` the last fifth in time (whole instants), `column:week>347` by a
 * number or an ISO date in a column.
 *
 * @throws DomainError INVALID_INPUT naming the rule and the forms there are
 */
export function testRule(
  file: CsvFile,
  { split, time }: { split?: string; time?: string },
): (row: number) => boolean {
  const rule = split ?? (time === undefined ? 'crc32' : 'last:0.2');
  if (rule === 'crc32') return (row) => isTestRow(row);
  const last = /^last:(0?\.\d+)$/.exec(rule);
  if (last) return lastShare(file, Number(last[1]), time);
  const column = /^column:(.+?)(>=|>)(.+)$/.exec(rule);
  if (column) return byColumn(file, rule, column);
  throw invalid(`--split must be crc32, last:0.2 or column:week>347, got "${rule}"`);
}

function lastShare(file: CsvFile, share: number, time: string | undefined): (row: number) => boolean {
  if (time === undefined) throw invalid('--split last:… needs --time');
  const times = file.times(time);
  const sorted = times.toSorted();
  const from = sorted[Math.floor(sorted.length * (1 - share))] ?? Number.POSITIVE_INFINITY;
  return (row) => (times[row] ?? Number.NaN) >= from;
}

function byColumn(
  file: CsvFile,
  rule: string,
  [, name = '', sign = '', limit = '']: RegExpExecArray,
): (row: number) => boolean {
  const compare = COMPARISONS[sign];
  const at = Number.isFinite(Number(limit)) ? Number(limit) : Date.parse(limit);
  if (!compare || Number.isNaN(at)) throw invalid(`--split ${rule}: "${limit}" is no number and no date`);
  const values = file.times(name.trim());
  return (row) => compare(values[row] ?? Number.NaN, at);
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_INPUT', message, { path: '--split' });
}
