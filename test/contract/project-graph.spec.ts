import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROOT } from './graph-processes.js';

const projectGraph = z.object({
  graph: z.object({
    nodes: z.record(
      z.string(),
      z.object({ data: z.object({ root: z.string(), tags: z.array(z.string()) }) }),
    ),
    dependencies: z.record(z.string(), z.array(z.object({ target: z.string() }))),
  }),
});

/** Projects by name, each with what it imports, as Nx reads it from the code and the package.json files. */
interface Project {
  root: string;
  tags: readonly string[];
  imports: readonly string[];
}

const projects = readProjects();
const tagged = (tag: string) => [...projects].filter(([, { tags }]) => tags.includes(tag));

describe('the project graph', () => {
  it('holds every application and library of the layout', () => {
    const roots = [...projects.values()].map(({ root }) => root);
    expect(roots).toEqual(
      expect.arrayContaining(
        ['gateway', 'inference-worker', 'trainer', 'simulator', 'libs/domain', 'libs/learning'].concat(
          ['customer', 'campaign', 'prediction'].map((name) => `subgraphs/${name}`),
        ),
      ),
    );
  });

  it('has no cycle', () => {
    expect(cycleIn(new Map([...projects].map(([name, { imports }]) => [name, imports])))).toBeNull();
  });

  it('has no application that another project imports', () => {
    const applications = tagged('type:app').map(([name]) => name);
    expect(applications.length).toBeGreaterThanOrEqual(7);
    expect(importersOf(applications)).toEqual([]);
  });

  it('keeps the test harness out of what runs', () => {
    const shipped = [...projects].flatMap(([name, { root }]) =>
      Object.keys(dependenciesOf(root)).includes('@sextant/testing') ? [name] : [],
    );
    expect(shipped).toEqual(['@sextant/test']);
  });

  it('rests on a domain that imports nothing', () => {
    expect(projects.get('@sextant/domain')?.imports).toEqual([]);
    expect(dependenciesOf('libs/domain')).toEqual({});
  });
});

describe('the truth of the simulator', () => {
  it('is out of reach of all other code but the truth tests', () => {
    const files = globSync('**/*.{ts,mjs}', {
      cwd: ROOT,
      exclude: (name) => ['node_modules', 'dist', 'simulator', '.data'].includes(name),
    });
    expect(files.length).toBeGreaterThan(200);
    const readers = files.filter((file) =>
      /simulator\/(src|dist)\/(?!main\.js)|'--truth'|@sextant\/simulator['/]/.test(
        readFileSync(join(ROOT, file), 'utf8'),
      ),
    );
    const allowed = ['test/contract/project-graph.spec.ts', 'test/truth/simulated-truth.ts'];
    expect(readers.filter((file) => !allowed.includes(file))).toEqual([]);
  });
});

describe('cycleIn', () => {
  it('finds a cycle, and none where two paths meet', () => {
    const from = (edges: Record<string, string[]>) => cycleIn(new Map(Object.entries(edges)));
    expect(from({ a: ['b'], b: ['c'], c: ['b'] })).toEqual(['b', 'c', 'b']);
    expect(from({ a: ['a'] })).toEqual(['a', 'a']);
    expect(from({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).toBeNull();
  });
});

function readProjects(): Map<string, Project> {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-graph-'));
  const file = join(folder, 'graph.json');
  try {
    const nx = join(ROOT, 'node_modules/.bin/nx');
    const { status, stderr } = spawnSync(nx, ['graph', `--file=${file}`], { cwd: ROOT, encoding: 'utf8' });
    if (status !== 0) throw new Error(`nx graph ended with ${status}: ${stderr}`);
    const { nodes, dependencies } = projectGraph.parse(JSON.parse(readFileSync(file, 'utf8'))).graph;
    return new Map(
      Object.entries(nodes).map(([name, { data }]) => [
        name,
        { ...data, imports: (dependencies[name] ?? []).map(({ target }) => target) },
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first cycle that a walk in depth meets, its first name again at the end; null where there is none. */
function cycleIn(edges: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string[] | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const next of edges.get(name) ?? []) {
      const cycle = walk(next, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return null;
  };
  for (const name of edges.keys()) {
    const cycle = walk(name, []);
    if (cycle) return cycle;
  }
  return null;
}

function importersOf(targets: readonly string[]): string[] {
  return [...projects].flatMap(([name, { imports }]) =>
    imports.filter((target) => targets.includes(target)).map((target) => `${name} imports ${target}`),
  );
}

function dependenciesOf(root: string): Record<string, string> {
  const { dependencies } = z
    .object({ dependencies: z.record(z.string(), z.string()).default({}) })
    .parse(JSON.parse(readFileSync(join(ROOT, root, 'package.json'), 'utf8')));
  return dependencies;
}
