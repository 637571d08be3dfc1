import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const run = promisify(execFile);

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
export const CHART = join(REPOSITORY, 'k8s/sextant');
const HELM_VERSION = 'v3.19.5';
/** The oldest cluster that the chart says it runs on. */
const KUBERNETES_VERSION = '1.30.0';

/** What every object of a rendered chart has; anything more specific is read with `at`. */
export const manifestObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
});
export type ManifestObject = z.output<typeof manifestObject>;

/**
 * Finds Helm on PATH, else in the cache, else builds it there once from the Go module proxy (about two minutes on two cores,
 * seconds when Go has built it before).
 *
 * @returns path of the binary, or the reason why there is none
 */
export async function findHelm(): Promise<{ path: string } | { missing: string }> {
  const installed = onPath('helm');
  if (installed) return { path: installed };
  const folder = join(REPOSITORY, 'node_modules/.cache/sextant', `helm-${HELM_VERSION}`);
  const cached = join(folder, 'helm');
  if (existsSync(cached)) return { path: cached };
  const go = onPath('go');
  if (!go) return { missing: 'neither helm nor go is on PATH' };
  mkdirSync(folder, { recursive: true });
  process.stderr.write(`building helm ${HELM_VERSION} once, into ${folder} …\n`);
  try {
    await run(go, ['install', `helm.sh/helm/v3/cmd/helm@${HELM_VERSION}`], {
      env: { ...process.env, GOBIN: folder },
    });
    return { path: cached };
  } catch (error) {
    return {
      missing: `helm could not be built with go: ${error instanceof Error ? error.message.split('\n')[1] : String(error)}`,
    };
  }
}

/** Renders the chart as `helm install` would, with the overrides given as `--set` arguments. */
export async function renderChart(
  helm: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<ManifestObject[]> {
  const set = Object.entries(overrides).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
  const { stdout } = await run(
    helm,
    ['template', 'demo', CHART, '--kube-version', KUBERNETES_VERSION, ...set],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  return parseAllDocuments(stdout)
    .map((document) => document.toJS() as unknown)
    .filter((value) => value !== null)
    .map((value) => manifestObject.parse(value));
}

export async function lintChart(helm: string): Promise<string> {
  const { stdout } = await run(helm, ['lint', '--strict', CHART]);
  return stdout;
}

/** The value at a path of a parsed document, or undefined; numbers are list positions. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isRecord(inner) || Array.isArray(inner) ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** A list at a path; an absent one is empty. */
export function listAt(value: unknown, ...path: readonly (string | number)[]): unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
