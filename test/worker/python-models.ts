import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE_DIRECTORY } from '@sextant/local-services';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'make_models.py').replace(/\/dist\/worker\//, '/worker/');
const INSTALL_LIMIT_MS = 400_000;

/** Each environment is gone again once its models are in the cache: PyTorch's takes 5.5 GB. */
const ENVIRONMENTS = {
  trees: {
    tools: ['sklearn', 'lightgbm', 'xgboost'],
    models: ['sklearn-logistic', 'sklearn-forest', 'sklearn-boosting', 'lightgbm', 'xgboost'],
    packages: [
      'numpy',
      'scikit-learn==1.9.1',
      'skl2onnx==1.20.0',
      'onnx',
      'onnxmltools==1.16.0',
      'packaging',
      'lightgbm==4.7.0',
      'xgboost-cpu==3.2.0',
    ],
  },
  torch: {
    tools: ['torch'],
    models: ['torch', 'torch-traced'],
    packages: ['numpy', 'torch==2.15.0', 'onnx', 'onnxscript'],
  },
} as const;
export type PythonEnvironment = keyof typeof ENVIRONMENTS;

/** A model as its tool exported it, with the tool's own answers. */
export interface PythonModel {
  name: string;
  onnx: Buffer;
  columns: string[];
  sample: { row: Record<string, number | null>; expected: number; label: 0 | 1 }[];
  meaning?: 'LOG_ODDS';
}

/** Models that Python tools fitted and exported, made on first use, or why there are none. */
export async function pythonModels(of: PythonEnvironment): Promise<PythonModel[] | { missing: string }> {
  const { tools, models, packages } = ENVIRONMENTS[of];
  const script = await readFile(SCRIPT);
  const key = createHash('sha256').update(script).update(packages.join()).digest('hex').slice(0, 16);
  const folder = join(CACHE_DIRECTORY, `imported-${of}-${key}`);
  try {
    if (!(await exists(folder))) await make(folder, { tools, packages });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: `no models of ${tools.join(', ')}: ${reason.split('\n')[0]}` };
  }
  return Promise.all(models.map((name) => readModel(folder, name)));
}

async function make(
  folder: string,
  { tools, packages }: { tools: readonly string[]; packages: readonly string[] },
): Promise<void> {
  await mkdir(CACHE_DIRECTORY, { recursive: true });
  const draft = await mkdtemp(`${folder}-`);
  const limit = { timeout: INSTALL_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 };
  const environment = join(draft, 'environment');
  const python = join(environment, 'bin', 'python');
  try {
    await run('python3', ['-m', 'venv', environment], limit);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-cache-dir', ...packages], limit);
    await run(python, [SCRIPT, join(draft, 'models'), ...tools], limit);
    await rename(join(draft, 'models'), folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function readModel(folder: string, name: string): Promise<PythonModel> {
  const [onnx, text] = await Promise.all([
    readFile(join(folder, `${name}.onnx`)),
    readFile(join(folder, `${name}.json`), 'utf8'),
  ]);
  return { name, onnx, ...(JSON.parse(text) as Omit<PythonModel, 'name' | 'onnx'>) };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
