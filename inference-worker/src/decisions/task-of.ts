import type { ScoreTask } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { PreparedTask, ScoreModelTask } from '../models/prepared-task.js';
import type { ServedModel } from '../models/served-model.js';

type TaskOf<T extends PreparedTask['task']> = T extends ScoreTask
  ? ScoreModelTask
  : Extract<PreparedTask, { task: T }>;

/** @throws DomainError INVALID_INPUT when the model was trained for another task */
export function taskOf<T extends PreparedTask['task']>({ model, task }: ServedModel, wanted: T): TaskOf<T> {
  if (task.task !== wanted) {
    throw new DomainError(
      'INVALID_INPUT',
      `model "${model}" is for the task ${task.task}, this call needs ${wanted}`,
      { path: 'model' },
    );
  }
  return task as TaskOf<T>;
}
