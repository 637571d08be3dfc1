import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './helm-chart.js';

const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  gateway: ['gateway/src'],
  customer: ['subgraphs/customer/src', 'libs/platform/src'],
  campaign: ['subgraphs/campaign/src', 'libs/platform/src'],
  prediction: ['subgraphs/prediction/src', 'libs/platform/src'],
  'inference-worker': ['inference-worker/src'],
  trainer: ['trainer/src'],
};

/** All TypeScript below a folder but its specs, as one text. */
export function codeOf(folder: string): string {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => readFileSync(join(REPOSITORY, folder, file), 'utf8'))
    .join('\n');
}

/** Environment variables of one process: the keys of its zod configuration. */
export function variablesRead(process: string): string[] {
  const configuration = (PROJECTS[process] ?? []).map(codeOf).join('\n');
  return [
    ...configuration.matchAll(/^\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*): ?(?:z\b|port\(|whole\(|[a-z]\w*\()/gm),
  ].map((match) => match[1] ?? '');
}
