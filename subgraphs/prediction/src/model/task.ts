import type { Task } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

const TASKS: readonly Task[] = ['recommend', 'session', 'price', 'lead', 'churn', 'purchase'];

export function isTask(text: string): text is Task {
  return TASKS.some((task) => task === text);
}

/** @throws DomainError INVALID_INPUT naming the tasks there are */
export function checkTask(text: string): Task {
  if (isTask(text)) return text;
  throw new DomainError(
    'INVALID_INPUT',
    `task must be one of ${TASKS.join(', ')}, got "${text.slice(0, 40)}"`,
    { path: 'input.task' },
  );
}
