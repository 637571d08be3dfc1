// Drift of 100,000 rows × 50 columns: CPU time beside a binned pass in numpy, and whether ten planted shifts are found.
//
//   npm run build && node bench/learning/drift/drift.mjs [--python python3] [--rows 100000] [--seeds 10]
//
// The Python needs numpy. 40 columns of numbers, 10 of categories; a column in five of each kind is shifted.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomInteger, randomNormal, seededRandom } from '@sextant/learning';
import { fitDriftReference, measureDrift } from '@sextant/learning/drift';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rows: { type: 'string', default: '100000' },
    seeds: { type: 'string', default: '10' },
  },
});
const rows = Number(values.rows);
const NUMERIC = 40;
const CATEGORICAL = 10;

const missing = (rate, draw) => (random) => (random() < rate ? Number.NaN : draw(random));
const lognormal = (random) => Math.exp(randomNormal(random));
/** What is drawn without and with the shift. */
const SHIFTS = [
  ['mean by 0.05 sd', 'numeric', randomNormal, (random) => randomNormal(random) + 0.05],
  ['variance by 10 %', 'numeric', randomNormal, (random) => randomNormal(random) * Math.sqrt(1.1)],
  ['missing 2.0 to 2.5 %', 'numeric', missing(0.02, randomNormal), missing(0.025, randomNormal)],
  ['missing from never to 1 in 2,000', 'numeric', lognormal, missing(0.0005, lognormal)],
  [
    'tail: 1 in 200 tenfold',
    'numeric',
    lognormal,
    (random) => lognormal(random) * (random() < 0.005 ? 10 : 1),
  ],
  ['skew', 'numeric', (random) => random() ** 2, (random) => random() ** 2.12],
  [
    'share of zeros 90 to 88 %',
    'numeric',
    (random) => (random() < 0.9 ? 0 : random()),
    (random) => (random() < 0.88 ? 0 : random()),
  ],
  [
    'two humps, 50 to 52 %',
    'numeric',
    (random) => randomNormal(random) + (random() < 0.5 ? 2 : -2),
    (random) => randomNormal(random) + (random() < 0.52 ? 2 : -2),
  ],
  [
    'new category, 1 in 1,000',
    'categorical',
    (random) => randomInteger(random, 8),
    (random) => (random() < 0.001 ? 30 : randomInteger(random, 8)),
  ],
  [
    'mix of 50 categories, one +50 %',
    'categorical',
    (random) => randomInteger(random, 50),
    (random) => (random() < 0.01 ? 7 : randomInteger(random, 50)),
  ],
];

const made = (seed, isShifted) => {
  const random = seededRandom(seed);
  const columns = SHIFTS.flatMap(([name, kind, calm, shifted]) =>
    [0, 1, 2, 3, 4].map((i) => {
      const draw = i === 0 && isShifted ? shifted : calm;
      const column = { kind, name: i === 0 ? name : `calm ${name} ${i}` };
      if (kind === 'numeric')
        return { ...column, values: Float64Array.from({ length: rows }, () => draw(random)) };
      const dictionary = Array.from({ length: 60 }, (_, code) => `c${code}`);
      return { ...column, dictionary, codes: Int32Array.from({ length: rows }, () => draw(random)) };
    }),
  );
  return { rows, columns };
};

const cpu = (work) => {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1000 };
};

const [before, now] = [made(1, false), made(2, true)];
const fit = cpu(() => fitDriftReference(before));
measureDrift(fit.value, now);
const runs = 5;
const ours =
  cpu(() => {
    for (let i = 0; i < runs; i++) measureDrift(fit.value, now);
  }).ms / runs;

const folder = mkdtempSync(join(tmpdir(), 'drift-'));
try {
  const path = join(folder, 'table.f64');
  const cells = [before, now].flatMap(({ columns }) =>
    columns.map((column) => Float64Array.from(column.values ?? column.codes)),
  );
  writeFileSync(path, Buffer.concat(cells.map((column) => Buffer.from(column.buffer))));
  const script = fileURLToPath(new URL('./binned_pass.py', import.meta.url));
  const answer = execFileSync(values.python, [script, path, rows, NUMERIC, CATEGORICAL].map(String), {
    encoding: 'utf8',
  });
  console.log(`${rows} rows × 50 columns, CPU ms`);
  console.log(`fit of the reference, once         ${fit.ms.toFixed(0)}`);
  console.log(`measureDrift, pass and tests       ${ours.toFixed(1)}`);
  for (const line of answer.trim().split('\n')) {
    const [name, ms] = line.split(' ');
    console.log(
      `numpy by ${name.padEnd(25)} ${Number(ms).toFixed(1)}   ours = ${(ours / Number(ms)).toFixed(2)} ×`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

let [found, falseAlarms] = [0, 0];
const missed = new Map();
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  const { columns } = measureDrift(fitDriftReference(made(1000 + seed, false)), made(2000 + seed, true));
  for (const { name, drifted } of columns) {
    if (name.startsWith('calm')) falseAlarms += drifted ? 1 : 0;
    else if (drifted) found += 1;
    else missed.set(name, (missed.get(name) ?? 0) + 1);
  }
}
console.log(
  `planted shifts found: ${found} of ${10 * values.seeds}; false among ${40 * values.seeds} calm columns: ${falseAlarms}`,
);
for (const [name, times] of missed) console.log(`missed ${times} times: ${name}`);
