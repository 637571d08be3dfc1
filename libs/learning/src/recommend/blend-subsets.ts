import type { AlsOptions } from './als.js';
import type { InnerSplit } from './inner-split.js';
import { fitItemModel, type ItemModelSetting } from './item-models.js';
import { ndcgOfSum, scoreMatrix } from './score-matrix.js';

/** A way to serve, with its NDCG@10 of each judged customer. */
export interface BlendCandidate {
  components: ItemModelSetting[];
  als: AlsOptions | null;
  tauItems: number | null;
  excludeHistory: boolean;
  ndcg: Float64Array;
}

const TAUS: readonly (number | null)[] = [null, 100, 50, 20, 10, 5, 2];

/**
 * Every non-empty subset of the models, each a plain mean of its members' scores, with every memory: with k models
 * 7 · (2ᵏ − 1) candidates, of which only the sums and the rankings cost anything. Weights are not tuned: on as few customers as an
 * inner split judges they would follow its noise.
 */
export async function blendSubsets(
  inner: InnerSplit,
  settings: readonly ItemModelSetting[],
): Promise<BlendCandidate[]> {
  const { judged, itemCount } = inner;
  const weights: Float32Array[] = [];
  for (const setting of settings)
    weights.push(await fitItemModel(inner.past, itemCount, setting, inner.product));
  const subsets = subsetsOf(settings.length);
  return TAUS.flatMap((tauItems) => {
    const scores = weights.map((own) => scoreMatrix(judged, itemCount, { weights: own, tauItems }));
    return subsets.flatMap((members) =>
      inner.exclusions.map((excludeHistory) => ({
        components: pick(settings, members),
        als: null,
        tauItems,
        excludeHistory,
        ndcg: ndcgOfSum(judged, itemCount, { scores: pick(scores, members), excludeHistory }),
      })),
    );
  });
}

/** Smaller subsets first, so that of equals the simplest is met first. */
function subsetsOf(count: number): number[][] {
  const subsets = Array.from({ length: 2 ** count - 1 }, (_, i) =>
    Array.from({ length: count }, (_, member) => member).filter((member) => ((i + 1) >> member) & 1),
  );
  return subsets.sort((a, b) => a.length - b.length);
}

function pick<T>(from: readonly T[], members: readonly number[]): T[] {
  return members.flatMap((member) => from[member] ?? []);
}
