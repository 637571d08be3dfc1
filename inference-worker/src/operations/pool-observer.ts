import type { Logger } from 'pino';
import type { SessionPoolOptions } from '../onnx/session-pool.js';
import { describeError, type FailureLog, operatorOf } from './failure-log.js';
import type { WorkerMetrics } from './worker-metrics.js';

/** Counts and logs what befalls threads and providers; what failed while rows were run is named without its message. */
export function poolObserver(
  metrics: WorkerMetrics,
  failures: FailureLog,
  logger: Logger,
): Pick<SessionPoolOptions, 'onThreadLost' | 'onProviderFailed'> {
  return {
    onThreadLost: (cause) => {
      metrics.threadLost();
      failures.repeated('error', describeError(cause), 'an inference thread ended and is replaced');
    },
    onProviderFailed: ({ key, during, provider, failure, now }) => {
      const [model = key, version = ''] = key.split(/[@/]/);
      metrics.models.providerFailed(provider);
      if (during === 'run' && now !== null) metrics.models.servedBy(model, version, now);
      const fields = { model, version, provider, now };
      if (during === 'load') logger.warn({ ...fields, reason: failure }, 'provider does not take the model');
      else logger.error({ ...fields, operator: operatorOf(failure) }, 'provider failed under the model');
    },
  };
}
