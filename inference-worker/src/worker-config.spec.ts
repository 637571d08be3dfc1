import { describe, expect, it } from 'vitest';
import { loadWorkerConfig } from './worker-config.js';

describe('loadWorkerConfig', () => {
  it('needs nothing but the model repository', () => {
    const config = loadWorkerConfig({ MODEL_REPOSITORY: 'models' });
    expect(config).toMatchObject({ PORT: 50_051, METRICS_PORT: 9_464, HOST: '127.0.0.1' });
    expect(config.INFERENCE_THREADS).toBeGreaterThanOrEqual(1);
  });

  it('refuses a request size that the queue could never hold', () => {
    const env = { MODEL_REPOSITORY: 'models', INFERENCE_QUEUE_ROWS: '10' };
    expect(() => loadWorkerConfig({ ...env, INFERENCE_MAX_REQUEST_ROWS: '11' })).toThrow(
      'INFERENCE_MAX_REQUEST_ROWS',
    );
    expect(loadWorkerConfig({ ...env, INFERENCE_MAX_REQUEST_ROWS: '10' }).INFERENCE_QUEUE_ROWS).toBe(10);
  });
});
