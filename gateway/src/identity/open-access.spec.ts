import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, ask } from '../test-gateway.js';
import { OPEN_ACCESS, withOpenAccess } from './open-access.js';

describe('open access', () => {
  let running: Awaited<ReturnType<typeof aGateway>>;
  beforeAll(async () => {
    running = await aGateway({ SEXTANT_OPEN_ACCESS: OPEN_ACCESS });
  });
  afterAll(() => running.stop());

  it('serves protected fields to everybody, as nobody in particular', async () => {
    const { data, errors } = await ask(running.gateway.url, {
      query: '{ whoami customer(id: 1) { name score } }',
    });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ whoami: 'anybody@open', customer: { name: 'Customer 1', score: 0.5 } });
  });

  it('is not given by any other word', async () => {
    await expect(aGateway({ SEXTANT_OPEN_ACCESS: 'true' })).rejects.toThrow('SEXTANT_OPEN_ACCESS');
    expect(withOpenAccess({ SEXTANT_OPEN_ACCESS: '1' })).toEqual({ SEXTANT_OPEN_ACCESS: '1' });
  });

  it('needs no keys and no secret, and sets no budget unless one is given', () => {
    const env = withOpenAccess({ SEXTANT_OPEN_ACCESS: OPEN_ACCESS, SEXTANT_MAX_COST: '5' });
    expect(Object.keys(env)).toEqual(expect.arrayContaining(['SEXTANT_JWKS', 'SEXTANT_SIGNING_SECRET']));
    expect(env).toMatchObject({ SEXTANT_MAX_COST: '5', SEXTANT_COST_RATE: '0' });
  });
});
