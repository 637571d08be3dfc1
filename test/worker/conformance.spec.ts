import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ELEMENT_TYPE,
  type TabularModel,
  writeIdentities,
  writeTabularModels,
} from './conformance-models.js';
import { findTritonPython } from './tritonclient-python.js';
import { aRepository, type TestRepository } from './worker-models.js';
import { startWorkerProcess, type WorkerProcess } from './worker-process.js';

const SCRIPT = fileURLToPath(new URL('./conformance/run.py', import.meta.url));
const run = promisify(execFile);
const found = await findTritonPython(process.env['TRITONCLIENT_PYTHON']);
if ('missing' in found) process.stderr.write(`conformance skipped: ${found.missing}\n`);

interface Check {
  about: string;
  check: string;
  failure: string | null;
}

let repository: TestRepository;
let worker: WorkerProcess;
let models: TabularModel[];
let checks: Check[];

/** What failed of the checks of one model, or of the server. */
const failuresOf = (about: string): string[] =>
  checks
    .filter((each) => each.about === about && each.failure !== null)
    .map(({ check, failure }) => `${check}: ${failure}`);
const countOf = (about: string): number => checks.filter((each) => each.about === about).length;

describe.skipIf('missing' in found)('the worker driven by NVIDIA’s tritonclient', () => {
  beforeAll(async () => {
    repository = await aRepository();
    models = await writeTabularModels(repository.root);
    await writeIdentities(repository.root);
    worker = await startWorkerProcess(repository.root, {
      MODEL_AUTOCOMPLETE: 'true',
      MODEL_CONTROL_MODE: 'explicit',
      INFERENCE_THREADS: '1',
    });
    const plan = {
      address: worker.address,
      http: `127.0.0.1:${worker.operationsPort}`,
      models,
      datatypes: Object.keys(ELEMENT_TYPE),
    };
    const python = 'python' in found ? found.python : '';
    const { stdout } = await run(python, [SCRIPT, JSON.stringify(plan)], { timeout: 120_000 });
    checks = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Check);
    process.stderr.write(
      `conformance: ${checks.filter(({ failure }) => failure === null).length} of ${checks.length} checks passed\n`,
    );
  }, 240_000);
  afterAll(async () => {
    await worker?.kill();
    await repository?.remove();
  });

  it.each(['perceptron', 'ease', 'lightgbm'])('serves %s as the protocol says', (name) => {
    if (!models.some((model) => model.name === name)) {
      process.stderr.write(`${name}: skipped, no LightGBM\n`);
      return;
    }
    expect(countOf(name)).toBeGreaterThan(40);
    expect(failuresOf(name)).toEqual([]);
  });

  it.each(Object.keys(ELEMENT_TYPE))('carries %s both ways', (datatype) => {
    expect(countOf(`type-${datatype.toLowerCase()}`)).toBeGreaterThan(2);
    expect(failuresOf(`type-${datatype.toLowerCase()}`)).toEqual([]);
  });

  it('answers for itself: health, metadata, repository, statistics, HTTP', () => {
    expect(countOf('server')).toBeGreaterThan(6);
    expect(failuresOf('server')).toEqual([]);
  });
});
