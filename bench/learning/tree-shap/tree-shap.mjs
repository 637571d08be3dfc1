// CPU time a row of our exact SHAP values beside LightGBM's own pred_contrib, on one model in one run.
//
//   npm run build && node bench/learning/tree-shap/tree-shap.mjs [--trees 200] [--leaves 31] [--columns 30] [--rows 10000] [--train 20000]
//
// LightGBM runs with one thread in the same child process as in training; its CPU time is read from /proc, so the bench
// needs Linux. Its time to load the model is measured with one row and taken off.
import { readFileSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { predictMargin, seededRandom } from '@sextant/learning';
import { TreeShap } from '@sextant/learning/explain';
import { LightGbmProcess, lightGbmParameters, parseLightGbmModel } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';

const { values } = parseArgs({
  options: {
    trees: { type: 'string', default: '200' },
    leaves: { type: 'string', default: '31' },
    columns: { type: 'string', default: '30' },
    rows: { type: 'string', default: '10000' },
    train: { type: 'string', default: '20000' },
  },
});
const [trees, leaves, columns, rows, train] = ['trees', 'leaves', 'columns', 'rows', 'train'].map((name) =>
  Number(values[name]),
);
const TICKS_PER_SECOND = 100;

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY });
const childrenBefore = new Set(children());
await using lightGbm = await LightGbmProcess.open(library);
const child = children().find((pid) => !childrenBefore.has(pid));

const data = aTable(train, 1);
const { model } = await lightGbm.train({
  train: data,
  columns,
  validation: null,
  parameters: lightGbmParameters({
    objective: 'binary',
    seed: 1,
    learningRate: 0.1,
    leaves,
    minRowsPerLeaf: 20,
    columnShare: 1,
    l2: 1,
    threads: 1,
  }),
  rounds: trees,
  patience: trees,
});
const ensemble = parseLightGbmModel(model);
const test = aTable(rows, 2).rows;

const loading = await childCpu(() => contributions(test.subarray(0, columns)));
const theirs = await childCpu(() => contributions(test));
const theirMs = ((theirs.seconds - loading.seconds) * 1000) / rows;

const building = ownCpu(() => new TreeShap(ensemble, columns));
const shap = building.value;
const warmUp = 200;
shap.contributionsOf(test.subarray(0, warmUp * columns), warmUp);
const ours = ownCpu(() => shap.contributionsOf(test, rows));
const single = ownCpu(() => {
  for (let i = 0; i < rows; i++) shap.contributions(test.subarray(i * columns, (i + 1) * columns));
});
const untabled = new TreeShap(ensemble, columns, { maxTableBytes: 0 });
const some = Math.ceil(rows / 10);
untabled.contributionsOf(test.subarray(0, warmUp * columns), warmUp);
const bare = ownCpu(() => untabled.contributionsOf(test.subarray(0, some * columns), some));

const perRow = (seconds, count = rows) => (seconds * 1000) / count;
const line = (name, ms) =>
  console.log(`${name.padEnd(34)} ${ms.toFixed(4)} ms a row   ${(ms / theirMs).toFixed(3)} × pred_contrib`);
console.log(
  `${ensemble.trees.length} trees of up to ${leaves} leaves, ${columns} columns, ${rows} rows, CPU time`,
);
line('LightGBM pred_contrib, 1 thread', theirMs);
line('tables, all rows at once', perRow(ours.seconds));
line('tables, one row at a time', perRow(single.seconds));
line('no table', perRow(bare.seconds, some));
console.log(
  `tables: ${(shap.tableBytes / 2 ** 20).toFixed(1)} MiB, built in ${(building.seconds * 1000).toFixed(0)} ms CPU`,
);
console.log(`largest |Σ − margin| over ${rows} rows: ${largestGap(ours.value).toExponential(1)}`);
console.log(
  `largest difference from pred_contrib: ${largestDifference(ours.value, theirs.value).toExponential(1)}`,
);

function contributions(table) {
  return lightGbm.predict({ model, rows: table, columns, output: 'contributions' });
}

/** Numbers with interactions, a tenth of the cells missing. */
function aTable(count, seed) {
  const random = seededRandom(seed);
  const table = Float32Array.from({ length: count * columns }, () =>
    random() < 0.1 ? Number.NaN : random() * 4 - 2,
  );
  const labels = Float32Array.from({ length: count }, (_, i) => {
    const x = (j) => table[i * columns + (j % columns)] || 0;
    const margin =
      x(0) * x(1) + x(2) - Math.abs(x(3)) * x(4) + Math.sin(2 * x(5)) + 0.3 * x(6) * x(7) - 0.5 * x(8);
    return random() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  });
  return { rows: table, labels };
}

function children() {
  return readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
}

async function childCpu(work) {
  const cpu = () => {
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  };
  const before = cpu();
  const value = await work();
  return { value, seconds: cpu() - before };
}

function ownCpu(work) {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, seconds: (user + system) / 1e6 };
}

function largestGap(phi) {
  let worst = 0;
  for (let i = 0; i < rows; i++) {
    let sum = shap.baseValue;
    for (let j = 0; j < columns; j++) sum += phi[i * columns + j];
    worst = Math.max(
      worst,
      Math.abs(sum - predictMargin(ensemble, test.subarray(i * columns, (i + 1) * columns))),
    );
  }
  return worst;
}

function largestDifference(phi, values) {
  let worst = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      worst = Math.max(worst, Math.abs(phi[i * columns + j] - values[i * (columns + 1) + j]));
  return worst;
}
