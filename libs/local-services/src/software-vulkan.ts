import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DomainError } from '@sextant/domain';
import type { BinarySearch } from './mongod-binary.js';

const run = promisify(execFile);

/** Vulkan's version that Mesa 25 brings; ONNX Runtime's WebGPU provider finds no adapter in Mesa 22.3. */
const LEAST_API = [1, 4] as const;
const SYSTEM_DRIVER = '/usr/share/vulkan/icd.d/lvp_icd.json';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const MIRROR = 'http://deb.debian.org/debian';
const RELEASE = 'bookworm';
const DOWNLOAD_LIMIT_MS = 120_000;
/** Node itself runs on the machine's own. */
const OF_THE_MACHINE = /^(?:libc6|libgcc-s1|libstdc\+\+6|gcc-\d+-base|libx11-data)_/;

const THREE_WAYS = `no software Vulkan could be had; what a GPU provider does is not tested here. Any one of these helps:
  1. set VK_DRIVER_FILES to the description of a Vulkan driver, with libvulkan.so.1 where libraries are found
  2. install Mesa 25 or newer (Debian 13: apt-get install mesa-vulkan-drivers libvulkan1)
  3. have apt-get, dpkg-deb and Debian's archive keyring on Linux, for mesa-vulkan-drivers of ${RELEASE}-backports`;

export interface SoftwareVulkan {
  /** to be added to the environment of the process that computes; nothing of the machine is changed */
  env: Record<string, string>;
  from: string;
}

export interface VulkanSearch extends BinarySearch {
  /** description of the driver that the system installed; the usual place when absent */
  systemDriver?: string;
}

/**
 * A Vulkan driver that computes on the CPU (Mesa's lavapipe): VK_DRIVER_FILES → the system's, if new enough → Debian's package,
 * unpacked into the cache.
 *
 * @throws DomainError VULKAN_UNAVAILABLE naming all three ways, at once where the third is out of the question
 */
export async function findSoftwareVulkan(search: VulkanSearch): Promise<SoftwareVulkan> {
  const { env, cacheDir, systemDriver = SYSTEM_DRIVER } = search;
  const named = env['VK_DRIVER_FILES'];
  if (named) return { env: driverEnv(named), from: 'VK_DRIVER_FILES' };
  if (await isNewEnough(systemDriver)) return { env: driverEnv(systemDriver), from: systemDriver };
  const folder = join(cacheDir, `mesa-${RELEASE}-backports-${process.arch}`);
  try {
    if (!(await exists(folder))) await unpackMesa(folder);
    return { env: await unpackedEnv(folder, env), from: folder };
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new DomainError('VULKAN_UNAVAILABLE', `${THREE_WAYS}\nThe third failed: ${why}`, { cause });
  }
}

/** Older loaders know the second name only. */
function driverEnv(description: string): Record<string, string> {
  return { VK_DRIVER_FILES: description, VK_ICD_FILENAMES: description };
}

async function isNewEnough(description: string): Promise<boolean> {
  const text = await readFile(description, 'utf8').catch(() => null);
  const version = /"api_version"\s*:\s*"(\d+)\.(\d+)/.exec(text ?? '');
  if (!version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > LEAST_API[0] || (major === LEAST_API[0] && minor >= LEAST_API[1]);
}

/** Downloads Mesa and what it needs with apt-get over a state of its own, and unpacks the packages without installing any. */
async function unpackMesa(target: string): Promise<void> {
  if (process.platform !== 'linux') throw new Error(`Debian's packages do not run on ${process.platform}`);
  if (!(await exists(KEYRING))) throw new Error(`${KEYRING} is not there`);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), 'mesa-'));
  try {
    const debs = await downloadPackages(work);
    const root = join(work, 'root');
    for (const deb of debs) await run('dpkg-deb', ['--extract', deb, root], { timeout: DOWNLOAD_LIMIT_MS });
    // Another process may have been faster; its files are as good.
    await rename(root, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function downloadPackages(work: string): Promise<string[]> {
  const state = join(work, 'state');
  const archives = join(work, 'cache', 'archives');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  const sources = join(work, 'sources.list');
  const suites = [RELEASE, `${RELEASE}-backports`];
  await writeFile(
    sources,
    suites.map((suite) => `deb [signed-by=${KEYRING}] ${MIRROR} ${suite} main\n`).join(''),
  );
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State=${state}`,
    `Dir::Cache=${join(work, 'cache')}`,
    // As if nothing were installed: the packages do not depend on this machine.
    'Dir::State::status=/dev/null',
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=10',
  ].flatMap((setting) => ['-o', setting]);
  const aptGet = (...args: string[]): Promise<unknown> =>
    run('apt-get', [...settings, '-q', ...args], { timeout: DOWNLOAD_LIMIT_MS });
  await aptGet('update', '-o', 'APT::Update::Error-Mode=any');
  const from = ['-t', `${RELEASE}-backports`, '--no-install-recommends'];
  await aptGet('install', '-y', '--download-only', ...from, 'mesa-vulkan-drivers');
  const files = await readdir(archives);
  return files
    .filter((file) => file.endsWith('.deb') && !OF_THE_MACHINE.test(file))
    .map((file) => join(archives, file));
}

/** Driver and libraries by full path: the loader is found by LD_LIBRARY_PATH, and so is what the driver needs. */
async function unpackedEnv(folder: string, env: BinarySearch['env']): Promise<Record<string, string>> {
  const files = await readdir(folder, { recursive: true });
  const driver = files.find((file) => basename(file) === 'libvulkan_lvp.so');
  const loader = files.find((file) => basename(file) === 'libvulkan.so.1');
  const template = files.find((file) => /^lvp_icd.*\.json$/.test(basename(file)));
  if (!driver || !loader || !template) throw new Error(`${folder} is not complete: delete it`);
  const description = join(folder, 'lvp.json');
  const text = await readFile(join(folder, template), 'utf8');
  const described = JSON.parse(text) as { ICD: { library_path: string } };
  described.ICD.library_path = join(folder, driver);
  await writeFile(description, JSON.stringify(described));
  const folders = new Set(files.filter((file) => /\.so(?:\.|$)/.test(file)).map((file) => dirname(file)));
  const libraries = [...folders].filter((each) => /^(?:usr\/)?lib\/[^/]+$/.test(each));
  const path = [...libraries.map((each) => join(folder, each)), env['LD_LIBRARY_PATH'] ?? ''];
  return { ...driverEnv(description), LD_LIBRARY_PATH: path.filter((each) => each !== '').join(':') };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
