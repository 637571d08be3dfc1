import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '@sextant/domain';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { DEMO_TENANT, loadDemoCompany } from './demo-company.js';
import { GraphClient } from './graph-client.js';
import { writeGraphiqlTabs } from './graphiql-tabs.js';
import { issueTokens, loadOrCreateKeys } from './keys.js';
import { learnFirst, learnLater } from './learn.js';
import { FIRST_LESSONS, FURTHER_LESSONS } from './lessons.js';
import { preflight } from './preflight.js';
import { modelRepository, sextantProcesses } from './processes.js';
import type { Progress } from './progress.js';
import { asCurl, findSubjects, modelsAnswer, type Sample, samplesFor } from './samples.js';
import type { Settings } from './settings.js';
import { provideStore } from './store.js';
import type { Supervisor } from './supervisor.js';

interface Access {
  graphql: string;
  worker: string;
  metrics: Record<string, string>;
  tokens: Record<Role, string>;
  tenant: string;
  mongodb: string;
  models: string;
}

/** What is still to be learnt while the graph answers already. */
export type Afterwards = (isStopping: () => boolean) => Promise<void>;

/** From nothing to an answering graph; resolves when it is ready and has said so, with what comes afterwards. */
export async function launch(
  settings: Settings,
  progress: Progress,
  supervisor: Supervisor,
): Promise<Afterwards> {
  await progress.step('checks', () => preflight(settings, !process.env['MONGODB_URI']));
  const keys = await loadOrCreateKeys(settings.dataDir);
  const mongodbUri = await provideStore(settings, progress, supervisor);
  const lightGbm = await progress.step('LightGBM', provideLightGbm, (found) => found.note);
  for (const process of sextantProcesses({ settings, keys, mongodbUri, lightGbm: lightGbm.path })) {
    await progress.step(process.name, () => supervisor.start(process));
  }
  const tokens = await issueTokens(keys, DEMO_TENANT);
  const access = accessOf(settings, { tokens, mongodb: mongodbUri });
  await writeAccess(settings, access);
  const client = new GraphClient(access.graphql, tokens.operator);
  if (!settings.empty) {
    await loadDemoCompany(settings, client, progress);
    await learnFirst(FIRST_LESSONS, client, progress);
  }
  const subjects = await findSubjects(client);
  const samples = subjects ? samplesFor(subjects) : [];
  await writeGraphiqlTabs(settings, { samples, subjects, tokens });
  if (!settings.empty && samples.length > 0)
    await progress.step('ask the sample queries', () => askSamples(samples, access), served);
  announce(access, samples, progress);
  return async (isStopping) => {
    const say = (text: string): void => progress.line(text);
    if (!settings.empty) await learnLater(FURTHER_LESSONS, client, { say, isStopping });
  };
}

function accessOf(settings: Settings, given: Pick<Access, 'tokens' | 'mongodb'>): Access {
  const { ports } = settings;
  const metrics = Object.entries(ports.metrics).map(([name, port]) => [
    name,
    `http://127.0.0.1:${port}/metrics`,
  ]);
  return {
    graphql: `http://127.0.0.1:${ports.gateway}/graphql`,
    worker: `127.0.0.1:${ports.worker}`,
    metrics: Object.fromEntries(metrics) as Record<string, string>,
    tenant: DEMO_TENANT,
    models: modelRepository(settings),
    ...given,
  };
}

async function provideLightGbm(): Promise<{ path: string | null; note: string }> {
  try {
    return { path: await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }), note: 'found' };
  } catch (error) {
    return {
      path: null,
      note: `not there, linear models only. ${error instanceof Error ? error.message : ''}`,
    };
  }
}

/** Replaced in one step, so that a reader never sees half of it; holds tokens, so only its owner may read it. */
async function writeAccess(settings: Settings, access: Access): Promise<void> {
  const path = join(settings.dataDir, 'access.json');
  await writeFile(`${path}.new`, `${JSON.stringify(access, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** What is printed to be pasted has been asked before, with the same tokens. */
function askSamples(samples: readonly Sample[], access: Access): Promise<boolean> {
  return modelsAnswer(samples, (sample) =>
    new GraphClient(access.graphql, access.tokens[sample.role]).ask<unknown>(sample.query),
  );
}

function served(byModels: boolean): string {
  return byModels ? 'the models answer' : 'answered, but not by the models yet; see servedBy.fallbackReason';
}

function announce(access: Access, samples: readonly Sample[], progress: Progress): void {
  const say = (text: string) => progress.line(text);
  say('');
  for (const [role, token] of Object.entries(access.tokens)) say(`token ${role}: ${token}`);
  for (const sample of samples) {
    say(`\n# ${sample.title}`);
    say(asCurl(access.graphql, access.tokens[sample.role], sample.query));
  }
  if (samples.length === 0)
    say('\nThe store is empty: import events with `npm run sextant -- import --help`.');
  say(
    `\nTokens and addresses also stand in ${'`.data/access.json`'} (or in SEXTANT_DATA_DIR). Ctrl-C stops everything.`,
  );
  say(`Sextant is ready after ${progress.elapsedSeconds()} s: ${access.graphql}`);
}
