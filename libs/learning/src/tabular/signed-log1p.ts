/** sign(x) · ln(1 + |x|): keeps order, sign and zero, and draws in long tails. */
export function signedLog1p(value: number): number {
  return Math.sign(value) * Math.log1p(Math.abs(value));
}
