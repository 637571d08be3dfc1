import type { ModelReport, Quantiles, VersionReport, WorkerReport } from './worker-report.js';

/** HTML that was escaped, or is our own. */
class Markup {
  constructor(readonly html: string) {}
}

type Part = Markup | string | number | readonly (Markup | string | number)[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template whose values are escaped unless they are markup themselves. */
function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  const rendered = values.map((value) =>
    Array.isArray(value) ? value.map(render).join('') : render(value as string),
  );
  return new Markup(strings.map((text, at) => text + (rendered[at] ?? '')).join(''));
}

function render(value: Markup | string | number): string {
  if (value instanceof Markup) return value.html;
  return String(value).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

const REFRESH_SECONDS = 5;

const STYLE =
  new Markup(`:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);
--dim:color-mix(in srgb,currentColor 62%,transparent);--bar:#3b7dd8;--good:#1f8a4c;--bad:#c8372d;--fair:#b06f00}
@media(prefers-color-scheme:dark){:root{--bar:#6ea8ff;--good:#4cc38a;--bad:#ff7b72;--fair:#f0b429}}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:1180px;padding:1.2rem}
h1{font-size:1.25rem;margin:0 0 1rem;display:flex;gap:.7rem;align-items:baseline;flex-wrap:wrap}
.dim{font-weight:400}h2{font-size:1.05rem;margin:1.6rem 0 .4rem;overflow-wrap:anywhere}
.state{font-size:.85rem;padding:.1rem .55rem;border:1px solid;border-radius:1rem}
.ready,.good{color:var(--good)}.draining,.bad{color:var(--bad)}.starting,.fair{color:var(--fair)}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.8rem 1.2rem;margin:0}
dt{color:var(--dim);font-size:.8rem}dd{margin:0;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--dim);font-weight:500;font-size:.8rem;white-space:nowrap}td.n,th.n{text-align:right;white-space:nowrap}
td.text{overflow-wrap:anywhere;min-width:14rem}.tag{border:1px solid var(--line);border-radius:.3rem;padding:0 .35rem;margin-right:.3rem;font-size:.85rem;white-space:nowrap}
.dim,footer{color:var(--dim)}footer{margin-top:2rem;font-size:.85rem}a{color:inherit}
.scroll+dl{margin-top:.6rem}.bars{display:flex;align-items:flex-end;gap:3px;height:3.4rem;margin:.6rem 0 0}
.bars div{flex:1;max-width:3.2rem;display:flex;flex-direction:column;justify-content:flex-end;height:100%;text-align:center;font-size:.7rem;color:var(--dim)}
.bars i{background:var(--bar);display:block;border-radius:2px 2px 0 0}`);

/** The status page: one file, no scripts, nothing from elsewhere. */
export function statusPage(report: WorkerReport, now: Date): string {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="${REFRESH_SECONDS}" />
        <title>inference worker: ${report.state}</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>
          Inference worker <span class="state ${report.state}">${report.state}</span>
          <span class="dim">${report.version}, up ${duration(report.uptimeSeconds)}</span>
        </h1>
        ${overview(report)} ${refusedModels(report)}
        ${
          report.models.length === 0
            ? html`<h2>Models</h2>
                <p>None is served.</p>`
            : report.models.map(modelSection)
        }
        <footer>
          Latencies are of the last minute, counts since the start. ${now.toISOString()}, again every
          ${REFRESH_SECONDS} s · <a href="/metrics">metrics</a> · <a href="/models">models</a> ·
          <a href="/v2">v2</a> · <a href="/v2/models/stats">statistics</a> ·
          <a href="/health/ready">readiness</a>
        </footer>
      </body>
    </html> `;
  return page.html;
}

function overview({ threads, threadsLost, loop, memory, pendingRows }: WorkerReport): Markup {
  const lost = threadsLost > 0 ? html` <span class="bad">${threadsLost} lost</span>` : '';
  const late = loop.p99 > 50 ? 'bad' : loop.p99 > 20 ? 'fair' : 'good';
  return html`<dl>
    <div>
      <dt>Threads</dt>
      <dd>${threads ? `${threads.busy} of ${threads.alive} busy` : 'unknown'}${lost}</dd>
    </div>
    <div>
      <dt>Rows that wait now</dt>
      <dd>${count(pendingRows)}</dd>
    </div>
    <div>
      <dt>Event loop late, last minutes</dt>
      <dd><span class="${late}">p99 ${millis(loop.p99)}</span>, max ${millis(loop.max)}</dd>
    </div>
    <div>
      <dt>Memory of the process</dt>
      <dd>${bytes(memory.rss)}</dd>
    </div>
    <div>
      <dt>JavaScript heap, buffers</dt>
      <dd>${bytes(memory.heap)}, ${bytes(memory.external)}</dd>
    </div>
    <div>
      <dt>Memory of models, estimated</dt>
      <dd>${bytes(memory.models)}</dd>
    </div>
  </dl>`;
}

function refusedModels({ refused }: WorkerReport): Markup | string {
  if (refused.length === 0) return '';
  const rows = refused.map(
    ({ model, version, reason, at }) =>
      html`<tr>
        <td>${model}</td>
        <td class="n">${version === 0 ? 'all' : version}</td>
        <td class="text">${reason}</td>
        <td title="${new Date(at).toISOString()}">${ago(at)}</td>
      </tr>`,
  );
  return html`<h2 class="bad">Refused versions</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Model</th>
          <th class="n">Version</th>
          <th>Reason</th>
          <th>When</th>
        </tr>
        ${rows}
      </table>
    </div>`;
}

function modelSection(report: ModelReport): Markup {
  const { model, versions } = report;
  return html`<section>
    <h2>${model}</h2>
    <div class="scroll">
      <table>
        <tr>
          <th>Version</th>
          <th>Role</th>
          <th>Provider</th>
          <th class="n">Memory</th>
          <th class="n">Answered</th>
          <th class="n">Failed</th>
          <th class="n">Rows</th>
          <th class="n">Batches</th>
          <th class="n">Wait now</th>
          <th>Last run</th>
        </tr>
        ${versions.map(versionRow)}
      </table>
    </div>
    ${latencies(report)} ${batchBars(report)}
  </section>`;
}

function latencies({ request, queue, compute }: ModelReport): Markup | string {
  if (request.p50 === null) return '';
  const entry = (name: string, value: Quantiles): Markup =>
    html`<div>
      <dt>${name} p50, p99</dt>
      <dd>${quantiles(value)}</dd>
    </div>`;
  return html`<dl>${entry('Request', request)}${entry('Queue', queue)}${entry('Batch', compute)}</dl>`;
}

function versionRow(of: VersionReport): Markup {
  const { statistics, attempts } = of;
  const roles = of.roles.map((role) => html`<span class="tag">${role}</span>`);
  const memory = of.isInMemory ? bytes(of.memoryBytes) : 'left memory';
  const refusals = attempts.map(
    ({ provider, failure }) => html`<br /><span class="dim">${provider}: ${failure}</span>`,
  );
  const wait = of.pendingRows === 0 ? '–' : `${count(of.pendingRows)} rows, ${millis(of.oldestWaitMs)}`;
  return html`<tr>
    <td title="trained ${of.trainedAt}">${of.version}</td>
    <td>${roles}</td>
    <td class="text">${of.device === '' ? '–' : of.device}${refusals}</td>
    <td class="n">${memory}</td>
    <td class="n">${count(statistics.success.count)}</td>
    <td class="n">${failures(of)}</td>
    <td class="n">${count(statistics.inferenceCount)}</td>
    <td class="n">${count(statistics.executionCount)}</td>
    <td class="n">${wait}</td>
    <td>${ago(statistics.lastInferenceAt)}</td>
  </tr>`;
}

function failures({ statistics: { fail, failures: byReason } }: VersionReport): Markup | string {
  if (fail.count === 0) return '0';
  const reasons = Object.entries(byReason).filter(([, times]) => times > 0);
  const text = reasons.map(([reason, times]) => `${count(times)} ${reason}`).join(', ');
  return html`<span class="${byReason.BACKEND > 0 ? 'bad' : 'fair'}">${text}</span>`;
}

function batchBars({ batchSizes }: ModelReport): Markup | string {
  const most = Math.max(...batchSizes.map((each) => each.count));
  if (most === 0) return '';
  const largest = batchSizes.findLastIndex((each) => each.count > 0);
  const bars = batchSizes.slice(0, largest + 1).map(({ upTo, count: batches }) => {
    const height = Math.round((100 * batches) / most);
    const label = Number.isFinite(upTo) ? `≤${upTo}` : 'more';
    return html`<div title="${count(batches)} batches of ${label} rows">
      <i style="height:${height}%"></i>${label}
    </div>`;
  });
  return html`<div class="bars" role="img" aria-label="batches by rows">${bars}</div>`;
}

function quantiles({ p50, p99 }: Quantiles): string {
  if (p50 === null || p99 === null) return '–';
  return `${millis(p50 * 1000)}, ${millis(p99 * 1000)}`;
}

function millis(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

function bytes(value: number): string {
  if (value < 1024 ** 2) return `${Math.round(value / 1024)} KiB`;
  return `${(value / 1024 ** 2).toFixed(value < 100 * 1024 ** 2 ? 1 : 0)} MiB`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3_600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  );
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

function ago(at: number): string {
  return at === 0 ? 'never' : `${duration(Math.max(0, Date.now() - at) / 1000)} ago`;
}
