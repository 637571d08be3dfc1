import { loadConfig, processTracing, runProcess } from '@sextant/platform';
import { predictionConfig } from './prediction.config.js';
import { startPrediction } from './prediction-process.js';

runProcess('prediction', async () =>
  startPrediction(loadConfig(predictionConfig, process.env), await processTracing('prediction', process.env)),
);
