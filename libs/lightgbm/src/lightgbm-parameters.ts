const METRICS = { binary: 'binary_logloss', regression: 'l2', poisson: 'poisson' } as const;

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
}

/**
 * LightGBM's parameter string; equal data, seed and parameters give the equal model whatever the number of threads.
 * Loss on validation rows: log-loss for `binary`, squared error for `regression`, negative
 * log-likelihood for `poisson`, whose margin is the logarithm of the mean.
 */
export function lightGbmParameters(parameters: LightGbmParameters): string {
  const { objective, monotone } = parameters;
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
  ];
  if (monotone?.some((sign) => sign !== 0)) {
    pairs.push(['monotone_constraints', monotone.join(',')], ['monotone_constraints_method', 'basic']);
  }
  return pairs.map(([key, value]) => `${key}=${value}`).join(' ');
}
