import type { RandomStream } from '../random/random-stream.js';

/** Directions of taste inside a category: how modern, how luxurious, … a thing or a liking is. */
export const STYLE_DIMENSIONS = 4;

/** A random direction: a point on the unit sphere, shape [STYLE_DIMENSIONS]. */
export function drawStyle(random: RandomStream): number[] {
  const point = Array.from({ length: STYLE_DIMENSIONS }, () => random.normal());
  const length = Math.hypot(...point) || 1;
  return point.map((value) => value / length);
}
