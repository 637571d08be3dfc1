import type { Measured, ModelCard, TableEncoding, UpliftSpec } from '@sextant/artefacts';
import type { ActionExample, ActionOutcome, ActionTraining, TrainedActions } from './train-actions.js';

interface Learnt {
  outcomes: readonly ActionOutcome[];
  encoding: TableEncoding;
  warnings: readonly string[];
}

/** Spec, metrics and card of a version. */
export function describeUplift(
  training: ActionTraining,
  learnt: Learnt,
): Omit<TrainedActions, 'onnx' | 'evidence' | 'monitoring'> {
  const metrics = measuredOf(learnt.outcomes, ({ qini, ate, auuc }) => ({ qini, ate, auuc }));
  const baselineMetrics = measuredOf(learnt.outcomes, ({ response }) => ({ qini: response.qini }));
  return {
    spec: specOf(training, learnt),
    metrics,
    baselineMetrics,
    card: cardOf(training, learnt, { metrics, baselineMetrics }),
  };
}

function specOf({ examples, goal, horizonDays }: ActionTraining, { outcomes, encoding }: Learnt): UpliftSpec {
  const control = examples.filter(({ action }) => action === 'none');
  const bought = examples.filter(({ label }) => label === 1);
  return {
    task: 'uplift',
    goal,
    table: encoding,
    outcome: {
      event: 'order',
      horizonDays,
      value: meanOf(bought.map(({ orderValue }) => orderValue)),
      currency: commonest(bought),
      sureFrom: meanOf(control.map(({ label }) => label)),
    },
    actions: outcomes.flatMap(({ id, channel, cost, trained, refused }) => {
      if (trained === null || refused !== null) return [];
      const { model, ate, qini, reliability } = trained;
      const bins = reliability.map(({ upTo, low, value, high }) => ({ upTo, low, value, high }));
      return [{ id, channel, cost, learner: model.learner, average: ate, qini, reliability: bins }];
    }),
    refused: outcomes.flatMap(({ id, channel, refused }) =>
      refused === null ? [] : [{ action: id, channel, because: refused }],
    ),
  };
}

function cardOf(
  { examples, goal, horizonDays }: ActionTraining,
  { outcomes, encoding, warnings }: Learnt,
  figures: Pick<ModelCard, 'metrics' | 'baselineMetrics'>,
): ModelCard {
  const control = examples.filter(({ action }) => action === 'none').length;
  return {
    purpose: `What an action changes about the probability of an order within ${horizonDays} days (goal: ${goal}), for the next best action`,
    trainingData: `${examples.length} assignments of randomised experiments, ${control} of them control, as of the instant of each`,
    features: encoding.features,
    chosenBecause:
      outcomes.map(({ id, refused, trained }) => `${id}: ${refused ?? trained?.because ?? ''}`).join('; ') ||
      'the experiments hold no action',
    ...figures,
    limitations: [
      'Holds for customers like those of the experiments; who was never in one is outside of it.',
      'An effect is an average over customers of equal features: nobody’s own effect can be seen.',
      'The value of an outcome is the mean value of its orders, not their margin.',
      'A second action on the same customer soon after the first was not tried.',
    ],
    warnings: [
      ...outcomes.flatMap(({ id, refused }) =>
        refused === null ? [] : [`${id} is not offered: ${refused}`],
      ),
      ...warnings,
    ],
  };
}

function measuredOf(
  outcomes: readonly ActionOutcome[],
  read: (trained: NonNullable<ActionOutcome['trained']>) => Record<string, Measured>,
): Record<string, Measured> {
  return Object.fromEntries(
    outcomes.flatMap(({ id, trained }) =>
      trained === null
        ? []
        : Object.entries(read(trained)).map(([name, metric]): [string, Measured] => [
            `${id}.${name}`,
            metric,
          ]),
    ),
  );
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function commonest(examples: readonly ActionExample[]): string | null {
  const counts = new Map<string, number>();
  for (const { currency } of examples)
    if (currency !== null) counts.set(currency, (counts.get(currency) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
