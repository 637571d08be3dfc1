import { describe, expect, it } from 'vitest';
import { portList, readSettings } from './settings.js';

const flags = { empty: false, repositoryRoot: '/repository' };

describe('readSettings', () => {
  it('keeps data in .data of the repository, on the documented ports, unless told otherwise', () => {
    for (const env of [{}, { SEXTANT_DATA_DIR: '', SEXTANT_PORT_BASE: '' }]) {
      const { dataDir, ports } = readSettings(env, flags);
      expect(dataDir).toBe('/repository/.data');
      expect(ports).toMatchObject({
        gateway: 4000,
        worker: 50_051,
        mongod: 27_117,
        metrics: { gateway: 9460 },
      });
    }
  });

  it('reads a relative folder from the repository and an absolute one as it is', () => {
    expect(readSettings({ SEXTANT_DATA_DIR: 'other' }, flags).dataDir).toBe('/repository/other');
    expect(readSettings({ SEXTANT_DATA_DIR: '/disk/x' }, flags).dataDir).toBe('/disk/x');
  });

  it.each(['1024', '65500'])('moves everything to twelve consecutive ports from %s', (base) => {
    const { ports } = readSettings({ SEXTANT_PORT_BASE: base }, flags);
    const numbers = portList(ports, true).map(([, port]) => port);
    const first = Number(base);
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => first + i));
  });

  it.each(['abc', '1023', '65501', '5000.5', '-1', '1e9', '5000x'])(
    'refuses the port base %s and names it',
    (base) => {
      expect(() => readSettings({ SEXTANT_PORT_BASE: base }, flags)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`"${base}"`) }),
      );
    },
  );
});

describe('portList', () => {
  it('asks for no port of mongod when the store is somebody else’s', () => {
    const { ports } = readSettings({}, flags);
    expect(portList(ports, false).map(([name]) => name)).not.toContain('mongod');
    expect(portList(ports, true)).toContainEqual(['mongod', 27_117]);
  });
});
