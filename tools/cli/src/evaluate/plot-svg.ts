import type { Plot, PlotSeries } from '@sextant/training/evaluation';
import { type Axis, linearAxis, shortNumber } from './axis.js';
import { escapeHtml } from './html.js';

const WIDTH = 640;
const LINE_HEIGHT = 400;
const MARGIN = { top: 12, right: 16, bottom: 48 };
const LEFT_OF_LINES = 64;
/** Of a bar chart: room for the labels, and by bar and group. */
const LEFT_OF_BARS = 220;
const BAR = 14;
const GROUP_GAP = 8;
const LONGEST_LABEL = 30;
/** Colours and dashes repeat after this many series. */
const STYLES = 6;

/** A chart as an SVG element that needs nothing but the page's style; points that are not finite are left out. */
export function plotSvg(plot: Plot, id: string): string {
  const isBar = plot.kind === 'bar';
  const { body, height } = isBar ? bars(plot) : lines(plot);
  const about = `${isBar ? 'Bar' : 'Line'} chart of ${plot.y} by ${plot.x}: ${plot.series.map(({ name }) => name).join(', ')}. The figures are in the table below.`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">`,
    `<title id="${id}-title">${escapeHtml(plot.title)}</title><desc id="${id}-desc">${escapeHtml(about)}</desc>`,
    ...body,
    '</svg>',
    legend(plot.series),
  ].join('\n');
}

function legend(series: readonly PlotSeries[]): string {
  const entries = series.map(({ name }, i) => {
    const key = `<svg viewBox="0 0 24 8" class="key" aria-hidden="true"><path class="line s${i % STYLES}" d="M0 4H24"/></svg>`;
    return `<li>${key}${escapeHtml(name)}</li>`;
  });
  return `<ul class="legend">${entries.join('')}</ul>`;
}

interface Drawing {
  body: string[];
  height: number;
}

function lines(plot: Plot): Drawing {
  const bottom = LINE_HEIGHT - MARGIN.bottom;
  const right = WIDTH - MARGIN.right;
  const labels = isNumeric(plot) ? null : labelsOf(plot);
  const xOf = (x: number | string): number => (labels === null ? Number(x) : labels.indexOf(String(x)));
  const points = plot.series.flatMap((series) => series.points.filter(([, y]) => Number.isFinite(y)));
  const xAxis = linearAxis(
    points.map(([x]) => xOf(x)),
    [LEFT_OF_LINES, right],
  );
  const yAxis = linearAxis(
    points.map(([, y]) => y),
    [bottom, MARGIN.top],
  );
  const nameOf = (tick: number): string => (labels === null ? shortNumber(tick) : (labels[tick] ?? ''));
  return {
    height: LINE_HEIGHT,
    body: [
      ...yAxis.ticks.map((tick) => rowTick(yAxis.position(tick), LEFT_OF_LINES, shortNumber(tick))),
      ...xAxis.ticks.map((tick) => columnTick(xAxis.position(tick), bottom, shortened(nameOf(tick)))),
      axisName((LEFT_OF_LINES + right) / 2, LINE_HEIGHT - 8, plot.x),
      `<text class="name" transform="translate(14 ${bottom / 2}) rotate(-90)">${escapeHtml(plot.y)}</text>`,
      ...plot.series.map(({ points: own }, i) =>
        line(
          own.map(([x, y]) => [xOf(x), y]),
          { xAxis, yAxis, style: i },
        ),
      ),
    ],
  };
}

/** One path with a gap where a point is missing, and dots where there are few points. */
function line(
  points: readonly (readonly [number, number])[],
  { xAxis, yAxis, style }: { xAxis: Axis; yAxis: Axis; style: number },
): string {
  let path = '';
  let isDrawing = false;
  const dots: string[] = [];
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isDrawing = false;
      continue;
    }
    const at = `${xAxis.position(x).toFixed(1)} ${yAxis.position(y).toFixed(1)}`;
    path += `${isDrawing ? 'L' : 'M'}${at}`;
    isDrawing = true;
    const [cx = '', cy = ''] = at.split(' ');
    dots.push(`<circle class="dot s${style % STYLES}" cx="${cx}" cy="${cy}" r="3"/>`);
  }
  const drawn = path === '' ? '' : `<path class="line s${style % STYLES}" d="${path}"/>`;
  return drawn + (dots.length <= 20 ? dots.join('') : '');
}

/** Horizontal bars, so that long names can be read; a group for each label, a bar in it for each series that has one. */
function bars(plot: Plot): Drawing {
  const labels = labelsOf(plot);
  const valueOf = plot.series.map(({ points }) => new Map(points.map(([x, y]) => [String(x), y])));
  const all = valueOf.flatMap((values) => [...values.values()]);
  const axis = linearAxis([0, ...all], [LEFT_OF_BARS, WIDTH - MARGIN.right - 48]);
  const groups: string[] = [];
  let top = MARGIN.top;
  for (const label of labels) {
    const drawn = valueOf.flatMap((values, style) => {
      const value = values.get(label);
      return value !== undefined && Number.isFinite(value) ? [{ value, style }] : [];
    });
    const height = Math.max(1, drawn.length) * BAR;
    groups.push(
      `<text class="tick end" x="${LEFT_OF_BARS - 8}" y="${top + height / 2 + 4}">${escapeHtml(shortened(label))}<title>${escapeHtml(label)}</title></text>`,
      ...drawn.map(({ value, style }, i) => bar({ axis, value, style, top: top + i * BAR })),
    );
    top += height + GROUP_GAP;
  }
  return {
    height: top + MARGIN.bottom,
    body: [
      ...axis.ticks.map((tick) => columnTick(axis.position(tick), top, shortNumber(tick), MARGIN.top)),
      ...groups,
      axisName((LEFT_OF_BARS + WIDTH) / 2, top + 40, plot.y),
    ],
  };
}

function bar({ axis, value, style, top }: { axis: Axis; value: number; style: number; top: number }): string {
  const [from, to] = [axis.position(0), axis.position(value)];
  const [x, width] = [Math.min(from, to), Math.abs(to - from)];
  const text = `<text class="tick" x="${(Math.max(from, to) + 4).toFixed(1)}" y="${top + BAR - 3}">${shortNumber(value)}</text>`;
  return `<rect class="bar s${style % STYLES}" x="${x.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${BAR - 2}"/>${text}`;
}

function rowTick(y: number, left: number, label: string): string {
  const at = y.toFixed(1);
  return `<path class="grid" d="M${left} ${at}H${WIDTH - MARGIN.right}"/><text class="tick end" x="${left - 6}" y="${(y + 4).toFixed(1)}">${escapeHtml(label)}</text>`;
}

function columnTick(x: number, bottom: number, label: string, top = bottom - 4): string {
  const at = x.toFixed(1);
  return `<path class="grid" d="M${at} ${top}V${bottom + 4}"/><text class="tick middle" x="${at}" y="${bottom + 18}">${escapeHtml(label)}</text>`;
}

function axisName(x: number, y: number, name: string): string {
  return `<text class="name" x="${x}" y="${y}">${escapeHtml(name)}</text>`;
}

function isNumeric({ series }: Plot): boolean {
  return series.every(({ points }) => points.every(([x]) => typeof x === 'number'));
}

/** Labels of the x values in the order in which they come. */
function labelsOf({ series }: Plot): string[] {
  return [...new Set(series.flatMap(({ points }) => points.map(([x]) => String(x))))];
}

function shortened(label: string): string {
  const letters = [...label];
  return letters.length <= LONGEST_LABEL ? label : `${letters.slice(0, LONGEST_LABEL - 1).join('')}…`;
}
