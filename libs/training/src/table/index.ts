export { countPositives, takeExamples, type TableExamples } from './table-examples.js';
export type { TableWords } from './describe-training.js';
export { type TableScoreOptions, type TrainedTableScore, trainTableScore } from './train-table-score.js';
