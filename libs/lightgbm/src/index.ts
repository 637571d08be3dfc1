export type { LabelledRows, TrainedTrees } from './lightgbm-messages.js';
export { parseLightGbmModel } from './lightgbm-model.js';
export { lightGbmParameters, type LightGbmParameters } from './lightgbm-parameters.js';
export { LightGbmProcess, openLightGbm } from './lightgbm-process.js';
