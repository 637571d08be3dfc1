// Answers each line "ROWS RUNS" with the CPU microseconds of one run of the session that the worker's threads hold.
//
//   node bench/inference/compute-child.mjs model.onnx COLUMNS
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [path, columns] = process.argv.slice(2);
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

for await (const line of createInterface({ input: process.stdin })) {
  const [rows, runs] = line.split(' ').map(Number);
  const length = rows * Number(columns);
  const data = Float32Array.from({ length }, (_, at) => (2 * at) / Math.max(1, length - 1) - 1);
  const job = { rows, inputs: [{ data, dims: [rows, Number(columns)] }] };
  const before = process.cpuUsage();
  for (let run = 0; run < runs; run++) await session.run(job);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${(user + system) / runs}\n`);
}
