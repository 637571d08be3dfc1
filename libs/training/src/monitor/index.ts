export { monitorFileOf } from './monitor-file.js';
export { monitorHistories } from './monitor-histories.js';
export { shuffledImportance } from './shuffled-importance.js';
