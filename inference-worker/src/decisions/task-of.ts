import type { ScoreTask } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { PreparedTask, ScoreModelTask } from '../models/prepared-task.js';
import type { ServedModel } from '../models/served-model.js';

type TaskOf<T extends PreparedTask['task']> = T extends ScoreTask
  ? ScoreModelTask
  : Extract<PreparedTask, { task: T }>;

/** @throws DomainError INVALID_INPUT when the model was trained for none of these tasks */
export function taskOf<T extends PreparedTask['task']>(
  { model, task }: ServedModel,
  ...wanted: readonly T[]
): TaskOf<T> {
  if (!wanted.some((each) => each === task.task)) {
    throw new DomainError(
      'INVALID_INPUT',
      `model "${model}" is for the task ${task.task}, this call needs ${wanted.join(' or ')}`,
      { path: 'model' },
    );
  }
  return task as TaskOf<T>;
}
