import type { TrainedModel } from '../publisher.js';
import { type ScoreTrainingInput, type ScoreTrainingOptions, trainScore } from '../score-task/train-score.js';
import { LEAD_COLUMNS } from './lead-columns.js';
import { settledLeads } from './settled-leads.js';

/**
 * Lead score: what was known of a lead when its form came in, against whether it was won within the horizon.
 *
 * @throws DomainError as `trainScore` does
 */
export async function trainLead(
  input: Omit<ScoreTrainingInput, 'task' | 'notes' | 'columnSets'>,
  options: ScoreTrainingOptions,
): Promise<TrainedModel> {
  const { examples, notes } = settledLeads(input.examples, input.horizonDays, options.now);
  return trainScore({ ...input, task: 'lead', examples, notes, columnSets: LEAD_COLUMNS }, options);
}
