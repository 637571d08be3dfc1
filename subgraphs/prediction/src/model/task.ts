import { type Task, TASKS } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';

export function isTask(text: string): text is Task {
  return TASKS.some((task) => task === text);
}

/** @throws DomainError INVALID_INPUT naming the tasks there are */
export function checkTask(text: string, path = 'input.task'): Task {
  if (isTask(text)) return text;
  throw new DomainError(
    'INVALID_INPUT',
    `task must be one of ${TASKS.join(', ')}, got "${text.slice(0, 40)}"`,
    { path },
  );
}
