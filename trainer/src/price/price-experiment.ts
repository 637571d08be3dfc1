import type { DemandRow } from '@sextant/learning';
import type { PriceEvidence } from '@sextant/training/price';

/** Context of a `sale_observed` event that says its price was drawn at random. */
export const EXPERIMENT_CONTEXT = 'priceExperiment';
/** Context that moves the price and reaches demand by nothing else, e.g. the cost of the goods. */
export const INSTRUMENT_CONTEXT = 'priceInstrument';

/**
 * Takes what tells causes out of the context, where it would be mistaken for something that buyers see. An experiment goes before an
 * instrument.
 */
export function withEvidence(observations: readonly DemandRow[]): {
  rows: readonly DemandRow[];
  evidence: PriceEvidence | null;
} {
  const randomised = observations.map(({ context }) => isYes(context[EXPERIMENT_CONTEXT]));
  const values = observations.map(({ context }) => numberOrNaN(context[INSTRUMENT_CONTEXT]));
  const hasExperiment = randomised.some(Boolean);
  const hasInstrument = values.some(Number.isFinite);
  if (!observations.some(({ context }) => EXPERIMENT_CONTEXT in context || INSTRUMENT_CONTEXT in context))
    return { rows: observations, evidence: null };
  const rows = observations.map(
    ({ context: { [EXPERIMENT_CONTEXT]: _, [INSTRUMENT_CONTEXT]: __, ...context }, ...row }) => ({
      ...row,
      context,
    }),
  );
  if (hasExperiment) return { rows, evidence: { kind: 'experiment', randomised } };
  return { rows, evidence: hasInstrument ? { kind: 'instrument', values } : null };
}

function isYes(cell: unknown): boolean {
  return cell === true || cell === 1 || cell === 'true' || cell === '1';
}

function numberOrNaN(cell: unknown): number {
  return typeof cell === 'number' ? cell : Number.NaN;
}
