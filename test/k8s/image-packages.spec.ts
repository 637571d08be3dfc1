import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { REPOSITORY } from './helm-chart.js';

const packageJson = z.object({
  name: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
});

/**
 * An image holds the packages that its project and its libraries declare, nothing that happens to lie beside them here;
 * so an undeclared import works in the workspace and kills the container.
 */
describe.each([
  'gateway',
  'subgraphs/customer',
  'subgraphs/campaign',
  'subgraphs/prediction',
  'inference-worker',
  'trainer',
])('image of %s', (project) => {
  it('holds every package that its code imports', () => {
    const undeclared = projectsOf(project).flatMap((folder) => {
      const declared = Object.keys(manifestOf(folder).dependencies);
      return importsOf(folder)
        .filter(({ name }) => !declared.includes(name))
        .map(({ file, name }) => `${file} imports ${name}`);
    });
    expect(undeclared).toEqual([]);
  });
});

/** The project and the workspace libraries it reaches. */
function projectsOf(project: string, seen = new Set<string>()): string[] {
  if (seen.has(project)) return [];
  seen.add(project);
  const libraries = Object.keys(manifestOf(project).dependencies).filter((name) =>
    name.startsWith('@sextant/'),
  );
  return [project, ...libraries.flatMap((name) => projectsOf(name.replace('@sextant/', 'libs/'), seen))];
}

function manifestOf(folder: string): z.output<typeof packageJson> {
  return packageJson.parse(JSON.parse(readFileSync(join(REPOSITORY, folder, 'package.json'), 'utf8')));
}

/** Packages imported by value from the modules that a project's entry reaches. */
function importsOf(folder: string): { file: string; name: string }[] {
  return modulesFrom(
    join(folder, 'src', existsSync(join(REPOSITORY, folder, 'src/main.ts')) ? 'main.ts' : 'index.ts'),
  ).flatMap((file) =>
    specifiersOf(file)
      .filter((specifier) => !/^\.|\.js$/.test(specifier) && !isBuiltin(specifier))
      .map((specifier) => ({ file, name: packageOf(specifier) })),
  );
}

/** A module and what it imports by relative path or starts as a thread or process by URL, transitively. */
function modulesFrom(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || !existsSync(join(REPOSITORY, file))) return [];
  seen.add(file);
  const neighbours = specifiersOf(file).filter((specifier) => /^[\w./-]+\.js$/.test(specifier));
  return [
    file,
    ...neighbours.flatMap((specifier) =>
      modulesFrom(join(file, '..', specifier).replace(/\.js$/, '.ts'), seen),
    ),
  ];
}

function specifiersOf(file: string): string[] {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)(?! type)[^;]*?from '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'|(?:new URL\(|import\.meta\.dirname, )'([^']+)'/gm,
  );
  return [...statements].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? '');
}

function packageOf(specifier: string): string {
  const [scope, name] = specifier.split('/');
  return scope?.startsWith('@') ? `${scope}/${name}` : (scope ?? '');
}

describe('image packages', () => {
  it('are read from code that exists', () => {
    expect(importsOf('libs/platform').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['pino', 'zod', '@sextant/domain']),
    );
  });
});
