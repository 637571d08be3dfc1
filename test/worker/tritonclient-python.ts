import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE_DIRECTORY } from '@sextant/local-services';

const run = promisify(execFile);

const PACKAGES = ['tritonclient[grpc]==2.73.0', 'onnxruntime==1.30.0', 'numpy'];
const INSTALL_LIMIT_MS = 180_000;

/** A Python with NVIDIA's client, or why there is none. */
export type TritonPython = { python: string } | { missing: string };

/** TRITONCLIENT_PYTHON, or an environment in the cache that PyPI fills on first use. */
export async function findTritonPython(named: string | undefined): Promise<TritonPython> {
  if (named) return { python: named };
  const folder = join(CACHE_DIRECTORY, 'tritonclient-2.73.0');
  const python = join(folder, 'bin', 'python');
  if (await exists(python)) return { python };
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}-`);
  try {
    const limit = { timeout: INSTALL_LIMIT_MS };
    await run('python3', ['-m', 'venv', draft], limit);
    await run(join(draft, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES], limit);
    await rename(draft, folder);
    return { python };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: `no Python with ${PACKAGES[0]}: ${reason.split('\n')[0]}` };
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
