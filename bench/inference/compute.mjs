// One run of a batch: the session that the worker's threads hold beside onnxruntime-node's public session and Python's, on one thread
// each, in turn.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MODELS } from './models.mjs';
import { findPython } from './setup.mjs';

const TURNS = 12;
/** A turn runs a batch as often as takes about this long. */
const TURN_US = 60_000;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * CPU µs of one run of each row count, the least of the turns: what else runs on the machine only adds.
 *
 * @returns null where there is no Python with ONNX Runtime
 */
export async function compareCompute(model, path, rowCounts) {
  const python = findPython('peer');
  if (python === null) return null;
  const columns = String(MODELS[model].columns);
  const ours = startAsked(process.execPath, [here('./compute-child.mjs'), path, columns]);
  const bare = startAsked(process.execPath, [here('./compute-child.mjs'), path, columns, 'public']);
  const theirs = startAsked(python, [here('./peers/compute.py'), path, columns]);
  try {
    const results = [];
    for (const rows of rowCounts) {
      const runs = Math.max(1, Math.round(TURN_US / (await theirs.ask(rows, 3))));
      const [own, publicly, python] = [[], [], []];
      for (let turn = 0; turn < TURNS; turn++) {
        own.push(await ours.ask(rows, runs));
        publicly.push(await bare.ask(rows, runs));
        python.push(await theirs.ask(rows, runs));
      }
      results.push({
        model,
        rows,
        ownUs: Math.min(...own),
        publicUs: Math.min(...publicly),
        pythonUs: Math.min(...python),
      });
    }
    return results;
  } finally {
    await Promise.all([ours.stop(), bare.stop(), theirs.stop()]);
  }
}

function startAsked(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (rows, runs) => {
      child.stdin.write(`${rows} ${runs}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ${args.join(' ')} ended`);
      return Number(value);
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
