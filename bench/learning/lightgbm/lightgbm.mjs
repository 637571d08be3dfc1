// CPU time of training LightGBM through our child process beside Python LightGBM, on one table with equal parameters in one run.
//
//   npm run build && node bench/learning/lightgbm/lightgbm.mjs [--python python3] [--rows 50000] [--columns 40] [--rounds 200] [--runs 3]
//
// The Python needs numpy and lightgbm (pip install lightgbm==4.7.0); without it the bench says so and ends. Ours: user and system time
// of the child and of this process from the request to the parsed trees, so sending the table counts. Theirs: the same from
// the numpy array to the trained booster, without its imports. CPU times are read from /proc, so the bench needs Linux.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { predictMargins, seededRandom } from '@sextant/learning';
import { LightGbmProcess, lightGbmParameters, parseLightGbmModel } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rows: { type: 'string', default: '50000' },
    columns: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '200' },
    runs: { type: 'string', default: '3' },
  },
});
const [rows, columns, rounds, runs] = ['rows', 'columns', 'rounds', 'runs'].map((name) =>
  Number(values[name]),
);
const TICKS_PER_SECOND = 100;
const script = fileURLToPath(new URL('./train.py', import.meta.url));

try {
  execFileSync(values.python, ['-c', 'import lightgbm, numpy'], { stdio: 'ignore' });
} catch {
  console.log(
    `skipped: ${values.python} has no lightgbm and numpy (pip install lightgbm==4.7.0, or --python PATH)`,
  );
  process.exit(0);
}

const table = aTable();
const parameters = lightGbmParameters({
  objective: 'binary',
  seed: 1,
  learningRate: 0.1,
  leaves: 31,
  minRowsPerLeaf: 20,
  columnShare: 0.5,
  l2: 1,
  threads: 1,
});
const folder = mkdtempSync(join(tmpdir(), 'lightgbm-bench-'));
try {
  writeFileSync(join(folder, 'rows.f32'), table.rows);
  writeFileSync(join(folder, 'labels.f32'), table.labels);
  const childrenBefore = new Set(children());
  await using lightGbm = await LightGbmProcess.open(
    await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }),
  );
  const child = children().find((pid) => !childrenBefore.has(pid));
  const ratios = [];
  console.log(`${rows} rows × ${columns} columns, ${rounds} trees of 31 leaves, one thread, CPU seconds`);
  for (let run = 0; run < runs; run++) {
    const ours = await trainOurs(lightGbm, child);
    const theirs = JSON.parse(
      execFileSync(values.python, [script, folder, columns, rounds, parameters].map(String), {
        encoding: 'utf8',
      }),
    );
    const worst = Math.max(...ours.margins.map((margin, i) => Math.abs(margin - theirs.margins[i])));
    ratios.push(ours.seconds / theirs.seconds);
    console.log(
      `ours ${ours.seconds.toFixed(2)} (child ${ours.childSeconds.toFixed(2)})   Python ${theirs.seconds.toFixed(2)}   ratio ${ratios.at(-1).toFixed(3)}   margins differ by at most ${worst.toExponential(1)}`,
    );
  }
  const middle = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)];
  console.log(`median ratio ${middle.toFixed(3)}, wanted at most 1.15`);
  process.exitCode = middle <= 1.15 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function trainOurs(lightGbm, child) {
  const [before, own] = [cpuOf(child), process.cpuUsage()];
  const request = { train: table, columns, validation: null, parameters, rounds, patience: rounds };
  const { model } = await lightGbm.train(request);
  const ensemble = parseLightGbmModel(model);
  const { user, system } = process.cpuUsage(own);
  const childSeconds = cpuOf(child) - before;
  const margins = [...predictMargins(ensemble, table.rows.subarray(0, 100 * columns), columns)];
  return { seconds: childSeconds + (user + system) / 1e6, childSeconds, margins };
}

/** Numbers, some of them coarse and some missing, with effects that bend and act together. */
function aTable() {
  const random = seededRandom(1);
  const data = Float32Array.from({ length: rows * columns }, (_, at) => {
    if (random() < 0.05) return Number.NaN;
    return at % columns < columns / 2 ? random() * 2 - 1 : Math.floor(random() * 8);
  });
  const cell = (row, column) => data[row * columns + column] || 0;
  const labels = Float32Array.from({ length: rows }, (_, row) => {
    const margin = cell(row, 0) * 2 + cell(row, 1) * cell(row, 2) * 3 + cell(row, columns - 1) / 4 - 2;
    return random() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  });
  return { rows: data, labels };
}

function children() {
  return readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** User and system seconds of a process; fields 14 and 15, counted behind the name in brackets. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
