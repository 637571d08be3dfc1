import { Histogram } from './histogram.js';

/** One value of a family. Whoever counts often keeps it and adds to `value`: there is nothing to look up. */
export class Cell {
  value = 0;
  constructor(readonly labels: readonly string[]) {}
}

interface Description {
  name: string;
  help: string;
  labels?: readonly string[];
}

/** A metric of the page: a name, and samples by label values. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labelNames: readonly string[];
  lines(): Iterable<string>;
}

abstract class Children<Child> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  protected readonly children = new Map<string, { labels: readonly string[]; child: Child }>();

  constructor({ name, help, labels = [] }: Description) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
  }

  protected abstract create(labels: readonly string[]): Child;

  /** The child of these label values, in the order of the label names; created at zero. */
  of(...labels: string[]): Child {
    const key = labels.join('\u0000');
    let entry = this.children.get(key);
    if (!entry) {
      entry = { labels, child: this.create(labels) };
      this.children.set(key, entry);
    }
    return entry.child;
  }

  /** Label values of every child. */
  *labelSets(): Iterable<readonly string[]> {
    for (const { labels } of this.children.values()) yield labels;
  }

  /** Forgets every child whose leading label values are these. */
  forget(...leading: string[]): void {
    for (const [key, { labels }] of this.children)
      if (leading.every((value, at) => labels[at] === value)) this.children.delete(key);
  }
}

export class CellFamily extends Children<Cell> implements Family {
  constructor(
    readonly type: 'counter' | 'gauge',
    description: Description,
  ) {
    super(description);
    if (this.labelNames.length === 0) this.of();
  }

  protected create(labels: readonly string[]): Cell {
    return new Cell(labels);
  }

  *lines(): Iterable<string> {
    for (const { labels, child } of this.children.values())
      yield sampleLine(this.name, labelText(this.labelNames, labels), child.value);
  }
}

export class HistogramFamily extends Children<Histogram> implements Family {
  readonly type = 'histogram';

  constructor(
    description: Description,
    private readonly bounds: readonly number[],
  ) {
    super(description);
  }

  protected create(): Histogram {
    return new Histogram(this.bounds);
  }

  /** The histograms there are, by label values. */
  *entries(): Iterable<[readonly string[], Histogram]> {
    for (const { labels, child } of this.children.values()) yield [labels, child];
  }

  *lines(): Iterable<string> {
    const names = [...this.labelNames, 'le'];
    for (const { labels, child } of this.children.values()) {
      for (const [at, count] of child.cumulative().entries()) {
        const bound = String(this.bounds[at]);
        yield sampleLine(`${this.name}_bucket`, labelText(names, [...labels, bound]), count);
      }
      yield sampleLine(`${this.name}_bucket`, labelText(names, [...labels, '+Inf']), child.count);
      yield sampleLine(`${this.name}_sum`, labelText(this.labelNames, labels), child.sum);
      yield sampleLine(`${this.name}_count`, labelText(this.labelNames, labels), child.count);
    }
  }
}

/** A metric whose samples are read where they are kept, at every scrape. */
export class ReadFamily implements Family {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];

  constructor(
    readonly type: 'counter' | 'gauge',
    { name, help, labels = [] }: Description,
    private readonly read: () => Iterable<{ labels?: readonly string[]; value: number }>,
  ) {
    this.name = name;
    this.help = help;
    this.labelNames = labels;
  }

  *lines(): Iterable<string> {
    for (const { labels = [], value } of this.read())
      yield sampleLine(this.name, labelText(this.labelNames, labels), value);
  }
}

/** The families in Prometheus' text format, version 0.0.4. */
export function exposition(families: Iterable<Family>): string {
  const lines: string[] = [];
  for (const family of families) {
    lines.push(`# HELP ${family.name} ${escapeText(family.help)}`, `# TYPE ${family.name} ${family.type}`);
    for (const line of family.lines()) lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

function sampleLine(name: string, labels: string, value: number): string {
  return `${name}${labels} ${numberText(value)}`;
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return '';
  const pairs = names.map((name, at) => `${name}="${escapeText(values[at] ?? '').replaceAll('"', '\\"')}"`);
  return `{${pairs.join(',')}}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
