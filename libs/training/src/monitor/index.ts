export { monitorFileOf } from './monitor-file.js';
