import type { SessionChoice, SessionSettings } from '@sextant/learning/session';

export function describeSettings(settings: SessionSettings): string {
  return (
    `mixture of repeats (boost ${settings.repeatBoost}), transitions (backward ${settings.backward}, distance decay ` +
    `${settings.distanceDecay}, shrinkage ${settings.shrinkage}, ${Math.round(100 * settings.twoSteps)} % over two steps; ` +
    `sources fade by ${settings.sourceDecay} an item) and popularity`
  );
}

export function reasonOf(choice: SessionChoice): string {
  if (choice.predictions === 0) return 'no later session could judge: the defaults were taken';
  return (
    `NDCG@20 ${choice.validationNdcgAt20.toFixed(4)} on ${choice.predictions} views of the last fifth of the training sessions, ` +
    `the best of ${choice.candidates} settings; popularity reached ${choice.popularityNdcgAt20.toFixed(4)} there`
  );
}
