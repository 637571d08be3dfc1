import { describe, expect, it } from 'vitest';
import { DEFAULT_SERVING, parseServingConfig } from './serving.js';

const parse = (value: unknown) => parseServingConfig('demo.lead', JSON.stringify(value));

describe('the serving configuration', () => {
  it('is empty where nothing is said', () => {
    expect(parse({})).toEqual(DEFAULT_SERVING);
    expect(DEFAULT_SERVING).toMatchObject({ aliases: {}, versions: [], batching: {} });
    expect(DEFAULT_SERVING.canary).toBeUndefined();
  });

  it('takes aliases, shares and batching as they are written', () => {
    const config = {
      aliases: { challenger: 7 },
      versions: [3],
      canary: { version: 7, share: 0.05 },
      shadow: { version: 8, share: 1 },
      batching: { maxRows: 32, maxQueueDelayMicros: 500, instances: 2 },
      idleUnloadMs: 0,
    };
    expect(parse(config)).toMatchObject(config);
  });

  it.each([
    ['aliases.7', { aliases: { 7: 7 } }],
    ['aliases.best', { aliases: { best: 0 } }],
    ['versions.1', { versions: [1, 1.5] }],
    ['canary.share', { canary: { version: 1, share: 1.01 } }],
    ['canary.share', { canary: { version: 1, share: -0.01 } }],
    ['shadow.version', { shadow: { version: '1', share: 0.5 } }],
    ['batching.maxRows', { batching: { maxRows: 0 } }],
    ['batching.instances', { batching: { instances: 0 } }],
    ['idleUnloadMs', { idleUnloadMs: -1 }],
    ['canray', { canray: { version: 1, share: 0.5 } }],
  ])('is refused with the name of the model and of the field %s', (field, config) => {
    expect(() => parse(config)).toThrow(
      expect.objectContaining({
        code: 'ARTEFACT_INVALID',
        message: expect.stringMatching(new RegExp(`^demo\\.lead/serving\\.json: .*${field}`)) as string,
      }),
    );
  });

  it('is refused when it is no JSON', () => {
    expect(() => parseServingConfig('demo.lead', '{')).toThrow(/demo\.lead\/serving\.json: is not JSON/);
  });
});
