export type { TableWords } from './describe-training.js';
export { evaluateRegression, type RegressionInput, type RegressionOptions } from './evaluate-regression.js';
export { evaluateTable, type TableEvaluationInput, type TableEvaluationOptions } from './evaluate-table.js';
export { readLabels, type ReadLabels } from './read-labels.js';
export { monitorTableScore } from './monitor-table-score.js';
export { type ExampleSplit, foldsByGroup, splitExamples } from './split-examples.js';
export { countPositives, takeExamples, type TableExamples } from './table-examples.js';
export { type TableScoreOptions, type TrainedTableScore, trainTableScore } from './train-table-score.js';
