// Makes a fresh clone ready: installs what the lock file names when node_modules is missing or older than the lock,
// and, with --build, compiles. Runs on the host's own Node (>= 20), before anything is installed. Speaks on stderr only: what
// comes after it may print JSON.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const [major] = process.versions.node.split('.').map(Number);
if (major < 20)
  fail(`Node ${process.versions.node} is too old: install Node 20 or newer, then run the command again.`);

const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync('package-lock.json').mtimeMs) {
  const started = Date.now();
  console.error('Installing packages (once, about a minute) …');
  run(
    ['ci', '--loglevel=error', '--no-audit', '--no-fund'],
    'npm could not install the packages: check the network or the registry setting, then run the command again.',
  );
  console.error(`Installed packages in ${Math.round((Date.now() - started) / 1000)} s`);
}
if (process.argv.includes('--build'))
  run(['run', '--silent', 'build'], 'The build failed: see the messages above.');

function run(args, remedy) {
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const npm = process.env.npm_execpath;
  const stdio = ['inherit', process.stderr, 'inherit'];
  const result = npm
    ? spawnSync(process.execPath, [npm, ...args], { stdio, env })
    : spawnSync('npm', args, { stdio, env });
  if (result.status !== 0) fail(remedy);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
