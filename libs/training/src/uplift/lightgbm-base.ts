import type { BaseFitter, BaseInput } from '@sextant/learning/uplift';
import { lightGbmParameters, type LightGbmProcess, parseLightGbmModel } from '@sextant/lightgbm';

const ROUNDS = 60;

/**
 * Boosted trees as a base of the learners. Effects are small beside the outcome's noise, so trees are few, small and slow to learn;
 * a leaf holds at least 1 % of the rows, within 20 to 500.
 */
export function lightGbmBase(options: { lightGbm: LightGbmProcess; seed: number }): BaseFitter {
  const fit = (objective: 'binary' | 'regression') => (input: BaseInput) =>
    trained(options, objective, input);
  return { name: 'lightgbm', probability: fit('binary'), regression: fit('regression') };
}

async function trained(
  { lightGbm, seed }: { lightGbm: LightGbmProcess; seed: number },
  objective: 'binary' | 'regression',
  { rows, columns, targets, weights }: BaseInput,
): Promise<{ kind: 'trees'; ensemble: ReturnType<typeof parseLightGbmModel> }> {
  const parameters = lightGbmParameters({
    objective,
    seed,
    learningRate: 0.05,
    leaves: 8,
    minRowsPerLeaf: Math.min(500, Math.max(20, Math.round(targets.length / 100))),
    columnShare: 1,
    l2: 10,
    threads: 1,
    bins: 63,
  });
  const labels = Float32Array.from(targets);
  const train =
    weights === undefined ? { rows, labels } : { rows, labels, weights: Float32Array.from(weights) };
  const { model } = await lightGbm.train({
    train,
    validation: null,
    columns,
    parameters,
    rounds: ROUNDS,
    patience: ROUNDS,
  });
  return { kind: 'trees', ensemble: parseLightGbmModel(model) };
}
