import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLightGbm } from './lightgbm-library.js';

describe('findLightGbm', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lightgbm-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('takes the library that LIGHTGBM_LIBRARY names', async () => {
    const library = join(folder, 'my-lightgbm.so');
    await writeFile(library, '');

    await expect(findLightGbm({ env: { LIGHTGBM_LIBRARY: library }, cacheDir: folder })).resolves.toBe(
      library,
    );
  });

  it('refuses a LIGHTGBM_LIBRARY that is not there instead of taking another', async () => {
    const env = { LIGHTGBM_LIBRARY: join(folder, 'absent.so') };

    await expect(findLightGbm({ env, cacheDir: folder })).rejects.toMatchObject({
      code: 'LIGHTGBM_UNAVAILABLE',
      message: expect.stringMatching(/absent\.so.*LIGHTGBM_LIBRARY.*conda.*lightgbm==4\.7\.0.*libgomp1/s),
    });
  });

  it('looks through the system folders before it downloads', async () => {
    const names = { darwin: 'lib_lightgbm.dylib', win32: 'lib_lightgbm.dll' } as Record<string, string>;
    const library = join(folder, names[process.platform] ?? 'lib_lightgbm.so');
    await writeFile(library, '');

    const search = { env: {}, cacheDir: join(folder, 'never-made'), systemDirs: [folder] };
    await expect(findLightGbm(search)).resolves.toBe(library);
    await expect(stat(search.cacheDir)).rejects.toThrow();
  });

  it('says how to get one when no way works', async () => {
    const blocked = join(folder, 'a-file');
    await writeFile(blocked, '');

    await expect(findLightGbm({ env: {}, cacheDir: blocked, systemDirs: [] })).rejects.toMatchObject({
      code: 'LIGHTGBM_UNAVAILABLE',
      message: expect.stringContaining('Any one of these helps'),
    });
  });
});
