import { type DemandRow, isTestRow } from '@sextant/learning';

export interface DemandSplit {
  kind: 'later' | 'crc32';
  train: DemandRow[];
  validate: DemandRow[];
}

const HELD_OUT = 0.2;
const LEAST_INSTANTS = 10;

/**
 * Holds out the last fifth of the rows in time, whole instants at a time; where fewer than ten instants are told apart, or one
 * instant holds most rows, the rows whose number has a CRC-32 that is 0 or 1 modulo 10.
 */
export function splitDemand(rows: readonly DemandRow[]): DemandSplit {
  const instants = new Set(rows.map(({ at }) => at.getTime()));
  const sorted = rows.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const from = sorted[Math.floor(sorted.length * (1 - HELD_OUT))]?.at.getTime() ?? 0;
  const train = sorted.filter(({ at }) => at.getTime() < from);
  if (instants.size >= LEAST_INSTANTS && train.length >= rows.length / 2) {
    return { kind: 'later', train, validate: sorted.slice(train.length) };
  }
  return {
    kind: 'crc32',
    train: rows.filter((_, index) => !isTestRow(index)),
    validate: rows.filter((_, index) => isTestRow(index)),
  };
}
