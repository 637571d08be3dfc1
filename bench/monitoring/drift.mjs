// Drift of 3,000,000 rows × 1,000 columns that are never in memory: CPU, memory, and whether ten workers' sketches equal one pass.
//
//   npm run build && node bench/monitoring/drift.mjs [--rows 3000000] [--columns 1000] [--planted 20] [--pool 0]
//
// A reference and a current window of that size are streamed in blocks. Nine columns in ten are numbers (normal, heavy-tailed, counts, many
// zeros, some missing), one in ten is of categories. The generator's CPU is told apart from the counting's; with a pool each block is a
// slice of so many rows that were drawn once, which costs next to nothing and takes 8 bytes a cell of the pool.
import { parseArgs } from 'node:util';
import { analyseWindow } from '@sextant/learning/monitor';
import { planColumns, SketchPlan, TableSketch } from '@sextant/learning/sketch';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '3000000' },
    columns: { type: 'string', default: '1000' },
    planted: { type: 'string', default: '20' },
    pool: { type: 'string', default: '0' },
  },
});
const rows = Number(values.rows);
const columns = Number(values.columns);
const planted = Number(values.planted);
const poolRows = Number(values.pool);
const BLOCK = 2_000;
const WORKERS = 10;
const FITTED_ROWS = 10_000;
const CATEGORIES = Array.from({ length: 40 }, (_, i) => `c${i}`);

/** Uniform draws in [0, 1), one 32-bit xorshift a column. */
class Draws {
  constructor(seed) {
    this.state = (seed * 2_654_435_761) >>> 0 || 1;
  }
  next() {
    let x = this.state;
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state / 4_294_967_296;
  }
}

const isCategorical = (at) => at % 10 === 9;
const isPlanted = (at) => at < planted;

/** Columns whose buffers are filled again for every block. */
function blockOf(seed) {
  const draws = Array.from({ length: columns }, (_, at) => new Draws(seed * 7_919 + at + 1));
  const made = Array.from({ length: columns }, (_, at) =>
    isCategorical(at)
      ? { kind: 'categorical', name: `x${at}`, dictionary: CATEGORIES, codes: new Int32Array(BLOCK) }
      : { kind: 'numeric', name: `x${at}`, values: new Float64Array(BLOCK) },
  );
  const fill = (isShifted) => {
    for (let at = 0; at < columns; at++) {
      const draw = draws[at];
      const shift = isShifted && isPlanted(at) ? 0.4 : 0;
      const column = made[at];
      if (column.kind === 'categorical') fillCategories(column.codes, draw, shift);
      else FILLS[at % FILLS.length](column.values, draw, shift);
    }
    return { rows: BLOCK, columns: made };
  };
  return fill;
}

function fillCategories(codes, draw, shift) {
  for (let i = 0; i < codes.length; i++) {
    const u = draw.next();
    codes[i] = u < 0.02 ? -1 : Math.floor(u ** (2 - 2 * shift) * 40);
  }
}

const FILLS = [
  (to, draw, shift) => {
    for (let i = 0; i < to.length; i++) to[i] = draw.next() + draw.next() + draw.next() - 1.5 + shift;
  },
  (to, draw, shift) => {
    for (let i = 0; i < to.length; i++) to[i] = (1 + 3 * shift) / (1 - draw.next());
  },
  (to, draw, shift) => {
    for (let i = 0; i < to.length; i++) to[i] = Math.floor(draw.next() ** (2 - 2 * shift) * 12);
  },
  (to, draw, shift) => {
    for (let i = 0; i < to.length; i++) {
      const u = draw.next();
      to[i] = u < 0.7 - shift ? 0 : u * 100;
    }
  },
  (to, draw, shift) => {
    for (let i = 0; i < to.length; i++) {
      const u = draw.next();
      to[i] = u < 0.05 + shift ? Number.NaN : u;
    }
  },
];

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const cpu = { generator: 0, counting: 0, fitting: 0, analysis: 0, ofTen: 0 };
const spent = (what, work) => {
  const before = cpuSeconds();
  const result = work();
  cpu[what] += cpuSeconds() - before;
  return result;
};

/** Slices of rows that were drawn once; those of planted columns are drawn a second time, shifted. */
function poolOf(seed) {
  const next = blockOf(seed);
  const [calm, shifted] = [
    sample(next, poolRows, false, () => true),
    sample(next, poolRows, true, isPlanted),
  ];
  const draws = new Draws(seed);
  return (isShifted) => {
    const from = Math.floor(draws.next() * (poolRows - BLOCK));
    const slice = ({ values: numbers, codes, ...column }) =>
      numbers
        ? { ...column, values: numbers.subarray(from, from + BLOCK) }
        : { ...column, codes: codes.subarray(from, from + BLOCK) };
    const own = calm.columns.map((column, at) => (isShifted && isPlanted(at) ? shifted.columns[at] : column));
    return { rows: BLOCK, columns: own.map(slice) };
  };
}

function stream(fill, isShifted, onBlock) {
  for (let done = 0; done < rows; done += BLOCK) {
    const table = spent('generator', () => fill(isShifted));
    onBlock(table, done / BLOCK);
  }
}

const fill = blockOf(1);
const plan = spent(
  'fitting',
  () => new SketchPlan({ features: planColumns(sample(fill, FITTED_ROWS, false, () => true)), scores: [] }),
);

/** So many rows at once, of the columns that are wanted. */
function sample(next, wanted, isShifted, isWanted) {
  const parts = [];
  for (let done = 0; done < wanted; done += BLOCK) {
    parts.push(
      next(isShifted).columns.map(({ values: numbers, codes }, at) =>
        isWanted(at) ? (numbers ? numbers.slice() : codes.slice()) : null,
      ),
    );
  }
  const joined = (at) => {
    if (parts[0][at] === null) return null;
    const Typed = parts[0][at].constructor;
    const all = new Typed(parts.length * BLOCK);
    parts.forEach((part, i) => all.set(part[at], i * BLOCK));
    return all;
  };
  const named = Array.from({ length: columns }, (_, at) =>
    isCategorical(at)
      ? { kind: 'categorical', name: `x${at}`, dictionary: CATEGORIES, codes: joined(at) }
      : { kind: 'numeric', name: `x${at}`, values: joined(at) },
  );
  return { rows: parts.length * BLOCK, columns: named };
}

const [first, second] = poolRows > 0 ? Array(2).fill(poolOf(2)) : [blockOf(2), blockOf(3)];
const before = new TableSketch(plan);
stream(first, false, (table) => spent('counting', () => before.addTable(table)));
const now = new TableSketch(plan);
const workers = Array.from({ length: WORKERS }, () => new TableSketch(plan));
stream(second, true, (table, block) => {
  spent('counting', () => now.addTable(table));
  spent('ofTen', () => workers[block % WORKERS].addTable(table));
});
const merged = workers
  .map((worker) => TableSketch.fromBytes(plan, worker.toBytes()))
  .reduce((all, each) => all.merge(each));
const isEqual = Buffer.compare(merged.toBytes(), now.toBytes()) === 0;

const reference = {
  formatVersion: 1,
  rows: before.rows,
  features: plan.features.map(({ plan: { name, ...binning } }) => {
    const { bins, missing } = before.feature(name);
    return {
      name,
      binning,
      bins: [...bins],
      missing,
      usual: { psi: 0, missing: 0 },
      importance: 1 / columns,
      changes: [],
    };
  }),
  scores: [],
  threshold: null,
  performance: null,
};
const { findings } = spent('analysis', () => analyseWindow(reference, { sketch: now }));
const found = new Set(findings.map(({ name }) => name));
const hits = [...found].filter((name) => isPlanted(Number(name.slice(1)))).length;

const cells = 2 * rows * columns;
const own = cpu.counting + cpu.fitting + cpu.analysis;
const line = (name, value) => process.stdout.write(`${name.padEnd(58)}${value}\n`);
line('rows × columns, reference and current each', `${rows} × ${columns}`);
line('CPU of counting both windows, s', cpu.counting.toFixed(1));
line('  a cell, ns', ((1e9 * cpu.counting) / cells).toFixed(2));
line('CPU of fitting the bins and of the verdicts, s', (cpu.fitting + cpu.analysis).toFixed(1));
line('CPU of the generator, not counted, s', cpu.generator.toFixed(1));
line(
  'largest memory of the process, generator included, MiB',
  (process.resourceUsage().maxRSS / 1024).toFixed(0),
);
line('ten workers merged equal one pass, to the byte', isEqual);
line('bytes of a sketch', now.toBytes().byteLength);
line(`planted shifts found, of ${planted}`, hits);
line(`false alarms among ${columns - planted} columns`, found.size - hits);
line(
  'under 10 minutes of one core, and under 512 MiB',
  own < 600 && process.resourceUsage().maxRSS < 512 * 1024,
);
process.exitCode = isEqual && hits === planted && found.size === hits ? 0 : 1;
