import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Runs a model of one float32 input [rows, columns] and one float32 output, outside the worker. */
export interface ReferenceRuntime {
  name: string;
  run(model: Uint8Array, requests: readonly Float32Array[], columns: number): Promise<Float32Array[]>;
}

const PYTHON = process.env['SEXTANT_PYTHON'] ?? 'python3';

/** Reads the model's path and the requests' row counts; float32 goes in and comes out as bytes. */
const SCRIPT = `
import sys, numpy, onnxruntime
path, columns, counts = sys.argv[1], int(sys.argv[2]), [int(c) for c in sys.argv[3].split(',')]
options = onnxruntime.SessionOptions(); options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
name = session.get_inputs()[0].name
values = numpy.frombuffer(sys.stdin.buffer.read(), dtype='<f4').reshape(-1, columns)
at = 0
for count in counts:
    sys.stdout.buffer.write(session.run(None, {name: values[at:at + count]})[0].astype('<f4').tobytes())
    at += count
`;

/** Python's ONNX Runtime where `SEXTANT_PYTHON` (default python3) can import it, else the one of Node. */
export async function referenceRuntime(): Promise<ReferenceRuntime> {
  const probe = spawnSync(PYTHON, ['-c', 'import numpy, onnxruntime; print(onnxruntime.__version__)'], {
    encoding: 'utf8',
  });
  if (probe.status === 0) return { name: `Python onnxruntime ${probe.stdout.trim()}`, run: runInPython };
  return { name: 'onnxruntime-node (no Python with onnxruntime here)', run: runInNode };
}

async function runInPython(
  model: Uint8Array,
  requests: readonly Float32Array[],
  columns: number,
): Promise<Float32Array[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sextant-reference-'));
  try {
    const path = join(folder, 'model.onnx');
    await writeFile(path, model);
    const counts = requests.map((request) => request.length / columns);
    const input = Buffer.concat(
      requests.map((request) => Buffer.from(request.buffer, request.byteOffset, request.byteLength)),
    );
    const { status, stdout, stderr } = spawnSync(
      PYTHON,
      ['-c', SCRIPT, path, String(columns), counts.join(',')],
      { input, maxBuffer: 2 ** 30 },
    );
    if (status !== 0) throw new Error(`Python's ONNX Runtime failed: ${stderr.toString()}`);
    const all = new Float32Array(
      stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.byteLength) as ArrayBuffer,
    );
    const width = all.length / counts.reduce((sum, count) => sum + count, 0);
    let at = 0;
    return counts.map((count) => all.subarray(at, (at += count * width)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runInNode(
  model: Uint8Array,
  requests: readonly Float32Array[],
  columns: number,
): Promise<Float32Array[]> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1 });
  const answers: Float32Array[] = [];
  for (const request of requests) {
    const feeds = {
      [session.inputNames[0] ?? '']: new Tensor('float32', request, [request.length / columns, columns]),
    };
    const outputs = await session.run(feeds);
    answers.push((outputs[session.outputNames[0] ?? '']?.data as Float32Array).slice());
  }
  await session.release();
  return answers;
}
