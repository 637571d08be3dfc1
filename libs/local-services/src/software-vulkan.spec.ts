import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findSoftwareVulkan } from './software-vulkan.js';

describe('findSoftwareVulkan', () => {
  let folder: string;
  let blocked: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vulkan-'));
    blocked = join(folder, 'a-file');
    await writeFile(blocked, '');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const described = async (version: string): Promise<string> => {
    const path = join(folder, `lvp-${version}.json`);
    await writeFile(path, JSON.stringify({ ICD: { api_version: version, library_path: 'lvp.so' } }));
    return path;
  };

  it('takes the driver that VK_DRIVER_FILES names', async () => {
    const search = { env: { VK_DRIVER_FILES: '/some/driver.json' }, cacheDir: blocked };
    await expect(findSoftwareVulkan(search)).resolves.toEqual({
      env: { VK_DRIVER_FILES: '/some/driver.json', VK_ICD_FILENAMES: '/some/driver.json' },
      from: 'VK_DRIVER_FILES',
    });
  });

  it("takes the system's driver from Vulkan 1.4 on", async () => {
    const systemDriver = await described('1.4.0');
    const search = { env: {}, cacheDir: blocked, systemDriver };
    await expect(findSoftwareVulkan(search)).resolves.toMatchObject({ from: systemDriver });
  });

  it("leaves a system's driver that is older, and says how to get one when no way works", async () => {
    const search = { env: {}, cacheDir: join(blocked, 'cache'), systemDriver: await described('1.3.230') };
    await expect(findSoftwareVulkan(search)).rejects.toMatchObject({
      code: 'VULKAN_UNAVAILABLE',
      message: expect.stringMatching(/VK_DRIVER_FILES.*Mesa 25.*apt-get.*The third failed: /s),
    });
  });
});
