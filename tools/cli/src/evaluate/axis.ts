/** A linear axis: from values to positions, with ticks at round numbers. */
export interface Axis {
  position(value: number): number;
  ticks: number[];
}

const STEPS = [1, 2, 2.5, 5, 10];

/**
 * @param values  what has to fit; no finite value gives the axis from 0 to 1
 * @param ends    positions of the least and the greatest tick
 * @param count   about how many intervals
 */
export function linearAxis(values: readonly number[], ends: readonly [number, number], count = 5): Axis {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
  const most = finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 1);
  const step = roundStep((most - least || Math.abs(most) || 1) / count);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const [low, high] = [first * step, last * step];
  return { ticks, position: (value) => ends[0] + ((value - low) / (high - low)) * (ends[1] - ends[0]) };
}

function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * (STEPS.find((nice) => nice * power >= step * (1 - 1e-9)) ?? 10);
}

/** A number as people read it: four significant digits, no trailing zeros. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}
