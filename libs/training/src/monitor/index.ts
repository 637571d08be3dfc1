export { monitorFileOf } from './monitor-file.js';
export { shuffledImportance } from './shuffled-importance.js';
