import type { FairnessSlice, Gate, GateName, Measured } from '@sextant/artefacts';
import type { CalibrationCheck } from '@sextant/learning/calibration';
import { comparedGroups, gapsBeyondChance, LEAST_GROUP_ROWS, type TraitAudit } from './group-gaps.js';

/** A mean distance of probability and rate that decisions feel. */
const MOST_CALIBRATION_ERROR = 0.05;
/** A model that separates better than this on rows to come has most likely read the answer. */
const MOST_HONEST_AUC = 0.995;

export interface Gain {
  /** of the model over what would answer without it; above 0 is better */
  difference: Measured;
  /** e.g. `log-loss on 412 later leads` */
  metric: string;
  /** e.g. `the rate of all` */
  over: string;
}

/** Better beyond noise: the lower bound of the paired difference lies above 0. */
export function baselineGate({ difference, metric, over }: Gain): Gate {
  return {
    name: 'better-than-baseline',
    required: `${metric} better than that of ${over}: lower bound of the paired difference above 0`,
    observed: `better by ${figures(difference)}`,
    passed: difference.low > 0,
  };
}

export interface Discrimination {
  /** of the score, on rows that no fit has seen */
  auc: Measured;
  /** log-loss of the rate of all, known in hindsight, less that of the score, row by row */
  logLossGain: Measured;
  /** e.g. `412 later leads` */
  rows: string;
}

/**
 * A score is worth something where it ranks better than one rate for everybody, whose AUC is 0.5, and where its probabilities are not worse
 * than that rate. On few rows the second cannot be told from noise while the first can: log-loss is lost to calibrating on half of them.
 */
export function discriminationGate({ auc, logLossGain, rows }: Discrimination): Gate {
  return {
    name: 'better-than-baseline',
    required:
      'AUC above that of one rate for everybody (lower bound above 0.5), and log-loss not above that of the rate beyond noise',
    observed: `AUC ${figures(auc)}, log-loss lower by ${figures(logLossGain)} on ${rows}`,
    passed: auc.low > 0.5 && logLossGain.high >= 0,
  };
}

/** An error on few rows is mostly chance: only one that is large and beyond it stops a version. */
export function calibrationGate(
  error: Measured,
  { warning, z, slope }: CalibrationCheck,
  rows: number,
): Gate {
  const observed = `${error.value.toFixed(4)} on ${rows} rows, slope ${slope.toFixed(2)}, z ${z.toFixed(1)}`;
  return {
    name: 'calibration',
    required: `expected calibration error at most ${MOST_CALIBRATION_ERROR}, or none beyond noise (Spiegelhalter, Cox, one in a thousand)`,
    observed: warning === null ? observed : `${observed}; ${warning}`,
    passed: error.value <= MOST_CALIBRATION_ERROR || warning === null,
  };
}

export interface LeakFindings {
  /** columns that were left out because they give the outcome away */
  leftOut: readonly string[];
  /** AUC that each column of the model reaches alone, on the rows before validation */
  alone: ReadonlyMap<string, number>;
  /** of the model on rows that no fit has seen */
  auc: number;
  /** from which a column alone gives the outcome away */
  mostAlone: number;
}

export function leakGate({ leftOut, alone, auc, mostAlone }: LeakFindings): Gate {
  const [strongest] = [...alone].sort(([, a], [, b]) => b - a);
  const left = leftOut.length === 0 ? '' : `; left out: ${leftOut.join(', ')}`;
  const one = strongest ? `strongest column ${strongest[0]} ${strongest[1].toFixed(3)}, ` : '';
  return {
    name: 'no-leak',
    required: `AUC of each column alone below ${mostAlone}, of the model at most ${MOST_HONEST_AUC}`,
    observed: `${one}model ${auc.toFixed(3)}${left}`,
    passed: (strongest?.[1] ?? 0) < mostAlone && auc <= MOST_HONEST_AUC,
  };
}

/** Each protected trait audited on rows that no fit has seen; what cannot be audited does not pass. */
export function fairnessGate(audits: readonly TraitAudit[]): Gate {
  const required = `between groups of ${LEAST_GROUP_ROWS} rows or more: no gap of selection, true or false positive rate or calibration of 0.05, and no selection rate below four fifths, beyond chance (1 % over all comparisons)`;
  if (audits.length === 0)
    return notApplicable('fairness', required, 'the policy of the task names no protected trait');
  const flags = gapsBeyondChance(audits);
  const refused = audits.filter((audit) => comparedGroups(audit).length < 2).map(refusalOf);
  const small = audits.filter((audit) => comparedGroups(audit).length >= 2).flatMap(smallGroups);
  const even = flags.length + refused.length === 0 ? ['no gap beyond chance'] : [];
  return {
    name: 'fairness',
    required,
    observed: [...flags, ...refused, ...even, ...small].join('; '),
    passed: flags.length + refused.length === 0,
  };
}

/** One slice a group; groups that are too small are counted and not compared. */
export function fairnessSlices(audits: readonly TraitAudit[]): FairnessSlice[] {
  return audits.flatMap((audit) => {
    const large = comparedGroups(audit);
    const most = Math.max(...large.map(({ selectionRate }) => selectionRate.value));
    const best = Math.max(...large.flatMap(({ truePositiveRate }) => truePositiveRate?.value ?? []));
    return audit.groups.map((group) => {
      const { rows, selectionRate, truePositiveRate, calibrationGap } = group;
      const isCompared = large.length >= 2 && rows >= LEAST_GROUP_ROWS;
      return {
        attribute: audit.attribute,
        group: group.group,
        n: rows,
        selectionRate,
        disparateImpact: isCompared && most > 0 ? selectionRate.value / most : null,
        tprGap: isCompared && truePositiveRate ? truePositiveRate.value - best : null,
        calibrationGap,
      };
    });
  });
}

/** Nothing to measure: passed, and said why. */
export function notApplicable(name: GateName, required: string, why: string): Gate {
  return { name, required, observed: `not applicable: ${why}`, passed: true };
}

export function figures({ value, low, high, level }: Measured): string {
  return `${value.toFixed(4)} (${Math.round(100 * level)} % interval ${low.toFixed(4)} to ${high.toFixed(4)})`;
}

function refusalOf({ attribute, groups }: TraitAudit): string {
  const sizes = groups.map(({ group, rows }) => `${group} ${rows}`).join(', ');
  return `"${attribute}" cannot be audited: fewer than two groups of ${LEAST_GROUP_ROWS} rows (${sizes}); train on more rows, or take the trait out of the policy`;
}

function smallGroups({ attribute, groups }: TraitAudit): string[] {
  const small = groups.filter(({ rows }) => rows < LEAST_GROUP_ROWS);
  const sizes = small.map(({ group, rows }) => `${group} ${rows}`).join(', ');
  return small.length === 0 ? [] : [`too small to be compared by "${attribute}": ${sizes}`];
}
