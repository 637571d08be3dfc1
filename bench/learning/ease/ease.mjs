// CPU seconds of EASE on MovieLens beside numpy's, in one run: node bench/learning/ease/ease.mjs --python PATH --ratings FILE
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { coOccurrence, easeWeights } from '@sextant/learning/recommend';
import { openMatrixProduct } from '@sextant/training/runtime';

const { values } = parseArgs({ options: { python: { type: 'string' }, ratings: { type: 'string' } } });
if (!values.python || !values.ratings) throw new Error('--python and --ratings (ratings.csv.gz) are needed');

const LAMBDA = 500;
const folder = mkdtempSync(join(tmpdir(), 'ease-'));
const numpyWeights = join(folder, 'weights.npy');
const script = fileURLToPath(new URL('./ease.py', import.meta.url));
const numpy = Number(
  execFileSync(values.python, [script, values.ratings, numpyWeights], {
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
  }).toString(),
);

const rows = gunzipSync(readFileSync(values.ratings)).toString('utf8').trim().split('\n').slice(1);
const pairs = rows.map((row) => row.split(',').slice(0, 2));
const indexOf = new Map([...new Set(pairs.map(([, item]) => item))].sort().map((item, i) => [item, i]));
const baskets = [...Map.groupBy(pairs, ([user]) => user).values()].map((own) =>
  Uint32Array.from(new Set(own.map(([, item]) => indexOf.get(item)))),
);
const n = indexOf.size;
const runtime = await openMatrixProduct(1);
const cpuSeconds = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6;
let ours = Number.POSITIVE_INFINITY;
let weights;
for (let run = 0; run < 3; run++) {
  const started = cpuSeconds();
  weights = await easeWeights(coOccurrence(baskets, n), n, { lambda: LAMBDA, product: runtime.product });
  ours = Math.min(ours, cpuSeconds() - started);
}
await runtime.release();

const file = readFileSync(numpyWeights);
const expected = new Float64Array(new Uint8Array(file.subarray(file.length - 8 * n * n)).buffer);
rmSync(folder, { recursive: true });
const worst = expected.reduce((max, value, at) => Math.max(max, Math.abs(value - weights[at])), 0);
process.stdout.write(
  `${n} items: numpy ${numpy.toFixed(3)} CPU s, ours ${ours.toFixed(3)} CPU s, ratio ${(ours / numpy).toFixed(2)}; largest difference of a weight ${worst.toExponential(1)}\n`,
);
