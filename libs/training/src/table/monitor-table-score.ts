import type { MonitoringReference } from '@sextant/artefacts';
import { buildReference } from '@sextant/learning/monitor';
import { columnImportance } from './column-importance.js';
import { countPositives, takeExamples, type TableExamples } from './table-examples.js';
import type { TrainedTableScore } from './train-table-score.js';

/** The one score of such a model, as the worker counts it. */
const SCORE = 'probability';

/**
 * What served rows are compared with: the columns as they were learnt from, their importance on validation rows, and answers on rows
 * that the fit had not seen.
 *
 * @param examples  the examples that the score was trained on
 */
export function monitorTableScore(trained: TrainedTableScore, examples: TableExamples): MonitoringReference {
  const { calibration, metrics, split, spec } = trained;
  const { probabilities, labels } = calibration.held;
  const validation = takeExamples(examples, split.validate);
  const importance = columnImportance(trained, validation);
  const auc = metrics['auc'];
  const dates = dateColumns(trained);
  const hasTimes = new Set(examples.at).size > 1;
  return buildReference({
    table: examples.table,
    at: hasTimes ? examples.at : null,
    subjects: hasTimes ? examples.groupIds : null,
    importance: new Map(
      importance
        .filter(({ column }) => !dates.has(column))
        .map(({ column, contribution }) => [column, contribution]),
    ),
    scores: [{ name: SCORE, values: probabilities, labels }],
    threshold: spec.bands.hot,
    performance:
      auc === undefined
        ? null
        : {
            measure: 'auc',
            value: auc,
            rows: split.validate.length,
            positives: countPositives(validation.labels),
          },
  });
}

/** Every day has dates of its own. */
function dateColumns({ spec }: TrainedTableScore): Set<string> {
  return new Set(spec.table.columns.filter(({ kind }) => kind === 'date').map(({ column }) => column));
}
