const METRICS = {
  binary: 'binary_logloss',
  regression: 'l2',
  poisson: 'poisson',
  quantile: 'quantile',
  lambdarank: 'ndcg',
} as const;

export interface LightGbmParameters {
  objective: keyof typeof METRICS;
  seed: number;
  learningRate: number;
  leaves: number;
  minRowsPerLeaf: number;
  /** Share of the columns that each tree may use, in (0, 1]. */
  columnShare: number;
  l2: number;
  threads: number;
  /** One of −1, 0, 1 a column: the sign of the effect that is allowed; 0 = free. */
  monotone?: readonly (-1 | 0 | 1)[];
  /** Share of the rows that each tree sees, in (0, 1]; default 1. */
  rowShare?: number;
  /** Most bins a column; default LightGBM's 255. */
  bins?: number;
  l1?: number;
  /** Smallest gain of a split; default 0. */
  minGain?: number;
  /** Of `quantile` only: the level, in (0, 1); default 0.5. */
  quantile?: number;
  /** Of `lambdarank` only: NDCG is measured at this rank, and pairs below it + 3 do not count; default 10. */
  rankAt?: number;
}

/**
 * LightGBM's parameter string; equal data, seed and parameters give the equal model whatever the number of threads.
 * Loss on validation rows: log-loss for `binary`, squared error for `regression`, negative
 * log-likelihood for `poisson`, whose margin is the logarithm of the mean, pinball loss for `quantile`,
 * 1 − NDCG for `lambdarank`, whose margin only orders the rows of a query.
 */
export function lightGbmParameters(parameters: LightGbmParameters): string {
  const { objective } = parameters;
  const pairs: [string, string | number][] = [
    ['objective', objective],
    ['metric', METRICS[objective]],
    ['seed', parameters.seed],
    ['learning_rate', parameters.learningRate],
    ['num_leaves', parameters.leaves],
    ['min_data_in_leaf', parameters.minRowsPerLeaf],
    ['feature_fraction', parameters.columnShare],
    ['lambda_l2', parameters.l2],
    ['num_threads', parameters.threads],
    ['deterministic', 'true'],
    ['force_row_wise', 'true'],
    ['verbosity', -1],
    ...optionalPairs(parameters),
  ];
  return pairs.map(([key, value]) => `${key}=${value}`).join(' ');
}

function optionalPairs(parameters: LightGbmParameters): [string, string | number][] {
  const { objective, monotone, rowShare = 1, bins, l1, minGain, quantile = 0.5, rankAt = 10 } = parameters;
  const pairs: [string, string | number][] = [];
  if (monotone?.some((sign) => sign !== 0)) {
    pairs.push(['monotone_constraints', monotone.join(',')], ['monotone_constraints_method', 'basic']);
  }
  if (rowShare < 1) pairs.push(['bagging_fraction', rowShare], ['bagging_freq', 1]);
  if (bins !== undefined) pairs.push(['max_bin', bins]);
  if (l1 !== undefined) pairs.push(['lambda_l1', l1]);
  if (minGain !== undefined) pairs.push(['min_gain_to_split', minGain]);
  if (objective === 'quantile') pairs.push(['alpha', quantile]);
  if (objective === 'lambdarank') {
    pairs.push(['eval_at', rankAt], ['lambdarank_truncation_level', rankAt + 3]);
  }
  return pairs;
}
