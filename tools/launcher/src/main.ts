import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from './launch.js';
import { releaseData } from './preflight.js';
import { Progress } from './progress.js';
import { readSettings } from './settings.js';
import { checkNode, starterOf, whenGone } from './starters.js';
import { Supervisor } from './supervisor.js';

const USAGE = `npm start [-- --empty]
  --empty   start without the demo company
Environment: SEXTANT_PORT_BASE moves all ports, SEXTANT_DATA_DIR moves .data, MONGODB_URI uses a store of yours.`;

async function main(): Promise<void> {
  checkNode(process.versions.node);
  process.stdout.on('error', () => undefined); // whoever read our lines is gone; stopping goes on
  const progress = new Progress(process.stdout);
  const settings = readSettings(process.env, {
    ...flags(),
    repositoryRoot: resolve(import.meta.dirname, '../../..'),
  });
  const supervisor = new Supervisor(settings.dataDir, (text) => progress.line(`          ${text}`));
  let stopping: Promise<void> | null = null;
  const stop = (exitCode: number): void => {
    stopping ??= supervisor
      .stop()
      .then(() => releaseData(settings.dataDir))
      .finally(() => process.exit(exitCode));
  };
  const stopOnce = (): void => {
    if (!stopping) progress.line('stopping …');
    stop(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopOnce);
  if (process.env['npm_lifecycle_event'] === 'start') whenGone(starterOf(process.ppid), stopOnce);
  else if (process.env['SEXTANT_STOP_WITH_PARENT']) whenGone(process.ppid, stopOnce);
  try {
    const finish = await launch(settings, progress, supervisor);
    await finish(() => stopping !== null);
  } catch (error) {
    if (stopping) return;
    progress.breakOff();
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    stop(1);
  }
}

function flags(): { empty: boolean } {
  try {
    const { values } = parseArgs({
      options: { empty: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    });
    if (!values.help) return { empty: values.empty };
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(2);
  }
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
