import type { Gate } from '@sextant/artefacts';
import { evidenceOf, type ModelEvidence, type ParityProbe } from '../gates/index.js';
import type { ActionOutcome } from './train-actions.js';

/** Each action that is offered beats lots; where none does, the version offers nothing and does not pass. */
export function actionEvidence(outcomes: readonly ActionOutcome[], probe: ParityProbe): ModelEvidence {
  const offered = outcomes.filter(({ trained, refused }) => trained !== null && refused === null);
  const [first] = offered;
  const { gates, ...evidence } = evidenceOf({
    gain: null,
    probe,
    headline: { metric: `${first?.id ?? ''}.qini`, higherIsBetter: true },
    notCalibrated:
      'an effect is a difference that nobody shows alone; effects are calibrated by bin inside each fold',
    notLeaking: 'features are as of the instant of the assignment, which lots decided',
  });
  const others = gates.filter(({ name }) => name !== 'better-than-baseline');
  return { ...evidence, gates: [baselineGateOf(outcomes, offered), ...others] };
}

function baselineGateOf(outcomes: readonly ActionOutcome[], offered: readonly ActionOutcome[]): Gate {
  const figures = outcomes.map(({ id, trained, refused }) => {
    if (refused !== null || trained === null)
      return `${id} is not offered: ${refused ?? 'nothing was learnt'}`;
    const { value, low, high } = trained.qini;
    return `${id} ${(1000 * value).toFixed(2)} (${(1000 * low).toFixed(2)} to ${(1000 * high).toFixed(2)})`;
  });
  return {
    name: 'better-than-baseline',
    required:
      'at least one action whose cross-fitted Qini × 1000 is above 0 beyond noise, and above that of a response model',
    observed: figures.join('; ') || 'the experiments hold no action',
    passed: offered.length > 0 && offered.every(({ trained }) => (trained?.qini.low ?? 0) > 0),
  };
}
