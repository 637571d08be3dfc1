// What the samples say: a Markdown table, and the bars that the worker is held to.

const BARS = [
  { against: 'aio', rows: 1, callers: 64, most: 0.25 },
  { against: 'mlserver', rows: 1, callers: 64, most: 0.15 },
  // Of models whose run is short beside a call.
  { against: 'echo', rows: 1, callers: 64, most: 1.3, models: ['mlp', 'trees'] },
  { against: 'sextant-alone', rows: 1, callers: 256, most: 1 / 1.5 },
];
const BATCH_BAR = { fromRows: 32, most: 1.15 };

export function tableOf(samples) {
  const lines = summaries(samples).map(
    ({ model, rows, load, server, cpuUs, cpuUsMedian, callsPerSecond, p50Ms, p99Ms, failed, residentMb }) =>
      `| ${model} | ${load} | ${server} | ${cpuUs.toFixed(0)} (${cpuUsMedian.toFixed(0)}) | ${(cpuUs / rows).toFixed(2)} | ${callsPerSecond.toFixed(0)} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${residentMb.toFixed(0)} | ${failed} |`,
  );
  return [
    '| model | rows × callers | server | CPU µs a call: least (median) | a row | calls/s | p50 ms | p99 ms | MB | failed |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** Share of a core that calls may take in the long run: the rest is for peaks until a new replica serves. */
const PLANNED_SHARE = 0.6;

/** What one busy core carries of the worker's loads. */
export function sizingTableOf(samples) {
  const lines = summaries(samples)
    .filter(({ server }) => server === 'sextant')
    .map(({ model, load, rows, cpuUs }) => {
      const callsPerSecond = (PLANNED_SHARE * 1e6) / cpuUs;
      return `| ${model} | ${load} | ${cpuUs.toFixed(0)} | ${callsPerSecond.toFixed(0)} | ${(callsPerSecond * rows).toFixed(0)} |`;
    });
  if (lines.length === 0) return '';
  return [
    `| model | rows × callers | CPU µs a call | calls/s of one core at ${100 * PLANNED_SHARE}% | rows/s |`,
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** The time of batches against Python's, which is held to the same. */
export function computeTableOf(results) {
  const lines = results.map(({ model, rows, ownUs, publicUs, pythonUs }) => {
    const ratio = ownUs / pythonUs;
    const verdict = rows < BATCH_BAR.fromRows ? '' : ratio <= BATCH_BAR.most ? 'holds' : 'MISSED';
    return `| ${model} | ${rows} | ${ownUs.toFixed(1)} | ${publicUs.toFixed(1)} | ${pythonUs.toFixed(1)} | ${ratio.toFixed(3)} | ${verdict} |`;
  });
  return [
    `| model | rows a run | session of the worker, CPU µs | public session of onnxruntime-node | Python | ratio | ≤ ${BATCH_BAR.most} from ${BATCH_BAR.fromRows} rows |`,
    '|---|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** The ratios of CPU a call that the worker is held to. */
export function barsOf(samples) {
  const all = summaries(samples);
  const lines = BARS.flatMap(({ against, rows, callers, most, models }) => {
    const here = all.filter((each) => each.rows === rows && each.callers === callers);
    return here
      .filter(({ server, model }) => server === 'sextant' && (models?.includes(model) ?? true))
      .flatMap(({ model, cpuUs }) => {
        const other = here.find((each) => each.server === against && each.model === model);
        if (!other) return [];
        const ratio = cpuUs / other.cpuUs;
        const verdict = ratio <= most ? 'holds' : 'MISSED';
        return `| ${model}, ${rows} × ${callers} | ${against} | ${ratio.toFixed(3)} | ≤ ${most.toFixed(2)} | ${verdict} |`;
      });
  });
  if (lines.length === 0) return '';
  return ['| sextant’s CPU a call | of that of | ratio | bar | |', '|---|---|---|---|---|', ...lines].join(
    '\n',
  );
}

/** One line a server, model and load: medians over the rounds, but for CPU the least, since what else runs only adds to it. */
function summaries(samples) {
  const groups = Map.groupBy(samples, ({ model, rows, callers, server }) =>
    [model, rows, callers, server].join(),
  );
  return [...groups.values()]
    .map((group) => {
      const [{ model, rows, callers, server }] = group;
      const middle = (of) => median(group.map((sample) => sample[of]));
      return {
        model,
        rows,
        callers,
        server,
        load: `${rows} × ${callers}`,
        cpuUs: Math.min(...group.map((sample) => sample.cpuUs)),
        cpuUsMedian: middle('cpuUs'),
        callsPerSecond: middle('callsPerSecond'),
        p50Ms: middle('p50Ms'),
        p99Ms: middle('p99Ms'),
        residentMb: middle('residentMb'),
        failed: group.reduce((sum, sample) => sum + sample.failed, 0),
      };
    })
    .sort((a, b) => a.model.localeCompare(b.model) || a.rows - b.rows || a.callers - b.callers);
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
