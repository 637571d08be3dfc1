/** Customers of an experiment: what was known before it, which arm they were in, and what they did. */
export interface UpliftRows {
  /** Model input, row-major, shape [n, columns], every cell finite. */
  rows: Float32Array;
  columns: number;
  /** 1 = the action was assigned, 0 = control, shape [n]. */
  treated: Uint8Array;
  /** 0 or 1, shape [n]. */
  outcomes: Uint8Array;
  /** Probability of the arm `treated`, in (0, 1), shape [n]; of an experiment one and the same number. */
  propensity: Float64Array;
}

/** @throws RangeError when shapes do not fit, a cell is not finite, a label is neither 0 nor 1, or a propensity is not in (0, 1) */
export function checkUpliftRows({ rows, columns, treated, outcomes, propensity }: UpliftRows): void {
  const n = treated.length;
  if (n === 0 || rows.length !== n * columns || outcomes.length !== n || propensity.length !== n) {
    throw new RangeError(
      `${rows.length} cells, ${outcomes.length} outcomes and ${propensity.length} propensities for ${n} rows of ${columns}`,
    );
  }
  if (!rows.every(Number.isFinite)) throw new RangeError('every cell must be finite');
  for (let i = 0; i < n; i++) {
    if ((treated[i] ?? 2) > 1 || (outcomes[i] ?? 2) > 1)
      throw new RangeError(`row ${i}: arm and outcome must be 0 or 1`);
    const p = propensity[i] ?? 0;
    if (!(p > 0 && p < 1)) throw new RangeError(`row ${i}: the propensity must be in (0, 1), got ${p}`);
  }
}

/** The rows at `indices`, in that order. */
export function takeUpliftRows(data: UpliftRows, indices: ArrayLike<number>): UpliftRows {
  const n = indices.length;
  const { columns } = data;
  const rows = new Float32Array(n * columns);
  const [treated, outcomes] = [new Uint8Array(n), new Uint8Array(n)];
  const propensity = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = indices[i] ?? 0;
    rows.set(data.rows.subarray(from * columns, (from + 1) * columns), i * columns);
    treated[i] = data.treated[from] ?? 0;
    outcomes[i] = data.outcomes[from] ?? 0;
    propensity[i] = data.propensity[from] ?? 0;
  }
  return { rows, columns, treated, outcomes, propensity };
}

/** Row numbers where the arm is `arm`. */
export function rowsOfArm({ treated }: UpliftRows, arm: 0 | 1): number[] {
  return Array.from(treated.keys()).filter((i) => treated[i] === arm);
}
