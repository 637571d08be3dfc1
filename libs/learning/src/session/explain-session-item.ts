import type { WeighedSession } from './session-model.js';

/** What one viewed item adds to the score of a recommended one. */
export interface SessionReason {
  item: number;
  contribution: number;
}

/**
 * The viewed items that speak most for `item`: by the way from them to it, or by being it.
 *
 * @param transitions  shape [items, items] row-major
 * @returns            at most `top` with a contribution above 0, largest first
 */
export function explainSessionItem(
  transitions: Float32Array,
  session: WeighedSession,
  item: number,
  { itemCount, top }: { itemCount: number; top: number },
): SessionReason[] {
  return session.items
    .map((from, k) => ({
      item: from,
      contribution:
        (session.sources[k] ?? 0) * (transitions[from * itemCount + item] ?? 0) +
        (from === item ? (session.repeats[k] ?? 0) : 0),
    }))
    .filter(({ contribution }) => contribution > 0)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, top);
}
