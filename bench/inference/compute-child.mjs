// Answers each line "ROWS RUNS" with the CPU microseconds of one run of the session that the worker's threads hold.
//
//   node bench/inference/compute-child.mjs model.onnx COLUMNS [public]      public: ONNX Runtime's own session for Node instead
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [path, columns, kind] = process.argv.slice(2);
const run = kind === 'public' ? await openPublic() : await openOurs();

async function openPublic() {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [input] = session.inputNames;
  return (rows, data) => session.run({ [input]: new Tensor('float32', data, [rows, Number(columns)]) });
}

async function openOurs() {
  const main =
    process.env['WORKER_MAIN'] ?? new URL('../../inference-worker/dist/main.js', import.meta.url).pathname;
  const { ModelSession } = await import(new URL('onnx/model-session.js', `file://${main}`).href);
  const model = {
    key: 'bench',
    onnx: readFileSync(path),
    inputs: null,
    outputs: null,
    warmUpRows: [1],
    explainer: null,
  };
  const session = await ModelSession.open(model, { providers: ['cpu'], strict: true });
  return (rows, data) => session.run({ rows, inputs: [{ data, dims: [rows, Number(columns)] }] });
}

for await (const line of createInterface({ input: process.stdin })) {
  const [rows, runs] = line.split(' ').map(Number);
  const length = rows * Number(columns);
  const data = Float32Array.from({ length }, (_, at) => (2 * at) / Math.max(1, length - 1) - 1);
  const before = process.cpuUsage();
  for (let count = 0; count < runs; count++) await run(rows, data);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${(user + system) / runs}\n`);
}
