import type { Gate } from '@sextant/artefacts';
import type { ModelEvidence, ParityProbe } from './model-evidence.js';
import { baselineGate, type Gain, notApplicable } from './quality-gates.js';

interface Measured {
  /** null where nobody could be judged */
  gain: Gain | null;
  probe: ParityProbe;
  headline: ModelEvidence['headline'];
  /** why there is no probability whose calibration could be measured */
  notCalibrated: string;
  /** why no input can hold the answer */
  notLeaking: string;
}

/** Of a model that scores no customer by features: it is better than its baseline, or it is not. */
export function evidenceOf({ gain, probe, headline, notCalibrated, notLeaking }: Measured): ModelEvidence {
  return {
    gates: [
      gain ? baselineGate(gain) : NOBODY_JUDGED,
      notApplicable('calibration', 'probabilities as often right as they say', notCalibrated),
      notApplicable('no-leak', 'no input that is written after the outcome', notLeaking),
      notApplicable('fairness', 'no gap between groups', 'the model selects nobody by a threshold'),
    ],
    probe,
    headline,
    importance: {},
    fairness: [],
    heldOut: null,
  };
}

const NOBODY_JUDGED: Gate = {
  name: 'better-than-baseline',
  required: 'better than the baseline on held-out rows beyond noise',
  observed: 'nothing was held out that could be judged: there is too little history',
  passed: false,
};
