// What each GPU provider makes of the models that are written for it: agreement with the CPU, and rows a second beside one CPU thread.
//   npm run build && node bench/inference/gpu.mjs [--providers cuda,tensorrt,webgpu] [--rows 1,8,64,256,1024] [--json FILE]
//     [--software]  on a software Vulkan, to try the suite itself: its times say nothing
// Without a GPU it says what is missing and ends with 0; with one it ends with 1 when a provider that serves misses the CPU by more than 1e-5.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ModelSession } from '../../inference-worker/dist/onnx/model-session.js';
import { gpuModels } from './gpu-models.mjs';

const TOLERANCE = 1e-5;
/** Repetitions of a run go on for this long, alternating CPU and GPU. */
const SAMPLE_MS = 600;
const MOST_REPETITIONS = 300;

const { values: options } = parseArgs({
  options: {
    providers: { type: 'string', default: 'cuda,tensorrt,webgpu' },
    rows: { type: 'string', default: '1,8,64,256,1024' },
    json: { type: 'string' },
    software: { type: 'boolean', default: false },
  },
});

// Before CUDA is loaded: TF32 would multiply matrices with 11 significant bits. The image for GPUs sets the same.
process.env.NVIDIA_TF32_OVERRIDE ??= '0';

if (options.software) {
  await runOnSoftwareVulkan();
} else {
  process.exitCode = await main();
}

async function main() {
  const providers = options.providers.split(',');
  const rowCounts = options.rows.split(',').map(Number);
  const lines = [];
  const refusals = new Map();
  for (const model of gpuModels()) {
    const cpu = await open(model, 'cpu');
    for (const provider of providers) {
      try {
        const gpu = await open(model, provider);
        for (const rows of rowCounts) {
          const line = { model: model.name, provider, rows, ...(await compare(model, { cpu, gpu, rows })) };
          lines.push(line);
          print(line);
        }
        await gpu.release();
      } catch (error) {
        const refusal = `${provider}: ${error.message}`;
        refusals.set(refusal, [...(refusals.get(refusal) ?? []), model.name]);
      }
    }
    await cpu.release();
  }
  for (const [refusal, models] of refusals) console.log(`refused ${models.join(', ')} by ${refusal}`);
  if (lines.length === 0) {
    console.log(
      'skipped: no provider of a GPU serves a model here; docs/guides/gpu.md says what each one needs',
    );
    return 0;
  }
  const device = deviceName();
  console.log(`on ${device}, beside one thread of ${cpus()[0]?.model ?? 'this CPU'}`);
  if (options.json) writeFileSync(options.json, JSON.stringify({ device, lines }, null, 2));
  const missed = lines.filter(({ error }) => !(error <= TOLERANCE));
  for (const { model, provider, rows, error } of missed)
    console.log(`MISSED: ${model} on ${provider} at ${rows} rows differs by ${error}`);
  return missed.length > 0 ? 1 : 0;
}

function open({ name, written }, provider) {
  const { bytes, gpuBytes } = written;
  const model = { key: name, onnx: bytes, inputs: null, outputs: null, warmUpRows: [1], explainer: null };
  const plan = { providers: [provider], strict: true };
  return ModelSession.open({ ...model, ...(gpuBytes ? { gpuOnnx: gpuBytes } : {}) }, plan);
}

/** Largest difference, relative where answers exceed 1, and the median time of a run on each. */
async function compare(model, { cpu, gpu, rows }) {
  const job = { rows, inputs: [{ data: model.rows(rows), dims: [rows, model.columns] }] };
  const [expected, answered] = [await cpu.run(job), await gpu.run(job)].map(({ outputs }) => outputs[0].data);
  let error = 0;
  expected.forEach((value, i) => {
    error = Math.max(error, Math.abs(value - answered[i]) / Math.max(1, Math.abs(value)));
  });
  if (answered.some(Number.isNaN)) error = Number.NaN;
  const times = { cpu: [], gpu: [] };
  const until = performance.now() + SAMPLE_MS;
  while (times.gpu.length < 5 || (performance.now() < until && times.gpu.length < MOST_REPETITIONS)) {
    times.cpu.push((await cpu.run(job)).computeMs);
    times.gpu.push((await gpu.run(job)).computeMs);
  }
  const [cpuMs, gpuMs] = [median(times.cpu), median(times.gpu)];
  return { error, cpuMs, gpuMs, ratio: cpuMs / gpuMs };
}

function print({ model, provider, rows, error, cpuMs, gpuMs, ratio }) {
  const cells = [model.padEnd(12), provider.padEnd(9), String(rows).padStart(5)];
  const figures = `error ${error.toExponential(1)}  CPU ${cpuMs.toFixed(3)} ms  GPU ${gpuMs.toFixed(3)} ms`;
  console.log(`${cells.join(' ')} rows  ${figures}  GPU/CPU rows a second ${ratio.toFixed(2)}`);
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function deviceName() {
  if (process.env.SOFTWARE_VULKAN) return 'a software Vulkan (its times say nothing of a GPU)';
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    return execFileSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 }).trim().split('\n')[0];
  } catch {
    return 'a GPU whose name nvidia-smi does not tell';
  }
}

/** The libraries are found by the environment of a process, so this one starts itself again. */
async function runOnSoftwareVulkan() {
  const { CACHE_DIRECTORY, findSoftwareVulkan } = await import('@sextant/local-services');
  const vulkan = await findSoftwareVulkan({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch((error) => {
    console.log(`skipped: ${error.message}`);
    return null;
  });
  if (!vulkan) return;
  const again = process.argv.slice(2).filter((argument) => argument !== '--software');
  const env = { ...process.env, ...vulkan.env, SOFTWARE_VULKAN: '1' };
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...again], {
    env,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}
