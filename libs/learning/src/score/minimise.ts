/** Value at a point; writes the gradient into the second argument. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Stop when no entry of the gradient is larger; 1e-7 when absent. */
  gradientTolerance?: number;
  maxIterations?: number;
}

const MEMORY = 10;
const SUFFICIENT_DECREASE = 1e-4;
const MAX_HALVINGS = 40;

interface Step {
  moved: Float64Array;
  bent: Float64Array;
  curvature: number;
}

/**
 * Minimum of a smooth convex function by limited-memory BFGS with backtracking.
 *
 * @returns  the last point, shape of `start`, which is left as it is
 *
 * Source: Liu and Nocedal (1989), "On the limited memory BFGS method for large scale optimization", Mathematical Programming 45.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  options: MinimiseOptions = {},
): Float64Array {
  const { gradientTolerance = 1e-7, maxIterations = 500 } = options;
  let point: Float64Array = Float64Array.from(start);
  let gradient: Float64Array = new Float64Array(point.length);
  let value = objective(point, gradient);
  const steps: Step[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (gradient.every((slope) => Math.abs(slope) <= gradientTolerance)) break;
    const direction = descent(gradient, steps);
    const next = backtrack(objective, { point, value, gradient, direction });
    if (next === null) break;
    remember(steps, {
      moved: next.point.map((x, i) => x - (point[i] ?? 0)),
      bent: next.gradient.map((g, i) => g - (gradient[i] ?? 0)),
    });
    ({ point, value, gradient } = next);
  }
  return point;
}

/** −H · gradient by the two-loop recursion. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = gradient.map((slope) => -slope);
  const alphas: number[] = [];
  for (const { moved, bent, curvature } of steps.toReversed()) {
    const alpha = dot(moved, direction) / curvature;
    alphas.push(alpha);
    addScaled(direction, bent, -alpha);
  }
  const last = steps.at(-1);
  const scale =
    last === undefined
      ? 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)))
      : last.curvature / dot(last.bent, last.bent);
  for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] ?? 0) * scale;
  for (const { moved, bent, curvature } of steps) {
    const beta = dot(bent, direction) / curvature;
    addScaled(direction, moved, (alphas.pop() ?? 0) - beta);
  }
  return direction;
}

interface Position {
  point: Float64Array;
  value: number;
  gradient: Float64Array;
}

function backtrack(objective: Objective, at: Position & { direction: Float64Array }): Position | null {
  const slope = dot(at.gradient, at.direction);
  const gradient = new Float64Array(at.point.length);
  for (let step = 1, halvings = 0; halvings < MAX_HALVINGS; step /= 2, halvings++) {
    const point = at.point.map((x, i) => x + step * (at.direction[i] ?? 0));
    const value = objective(point, gradient);
    if (value <= at.value + SUFFICIENT_DECREASE * step * slope) return { point, value, gradient };
  }
  return null;
}

function remember(steps: Step[], { moved, bent }: Omit<Step, 'curvature'>): void {
  const curvature = dot(moved, bent);
  if (!(curvature > 1e-14 * dot(bent, bent))) return;
  steps.push({ moved, bent, curvature });
  if (steps.length > MEMORY) steps.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + factor * (source[i] ?? 0);
}
