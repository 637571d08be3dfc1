import type { ScoreTask } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

const SCORE_TASKS: readonly ScoreTask[] = ['lead', 'churn', 'purchase'];

/** @throws DomainError INVALID_INPUT naming the tasks that all customers can be scored for */
export function checkScoreTask(text: string, path: string): ScoreTask {
  const task = SCORE_TASKS.find((known) => known === text);
  if (task) return task;
  throw new DomainError(
    'INVALID_INPUT',
    `${path} must be one of ${SCORE_TASKS.join(', ')}, got "${text.slice(0, 40)}"`,
    { path },
  );
}
