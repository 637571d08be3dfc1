// Finds or installs what the comparison needs besides this repository; everything lands in .data/bench-inference.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DATA_DIRECTORY } from './models.mjs';

const GHZ = 'github.com/bojand/ghz/cmd/ghz@v0.93.0';
const INSTALL_LIMIT_MS = 600_000;
const PEERS = {
  peer: ['onnxruntime==1.30.0', 'tritonclient[grpc]==2.73.0', 'numpy'],
  mlserver: ['mlserver==1.7.1', 'mlserver-lightgbm==1.7.1', 'onnxruntime==1.30.0'],
};

/** ghz from GHZ, from PATH, kept from an earlier run, or built with Go; null where none can be had. */
export function findGhz() {
  const kept = join(DATA_DIRECTORY, 'bin', 'ghz');
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'ghz'));
  const found = [process.env['GHZ'], ...onPath, kept].find((path) => path && existsSync(path));
  if (found) return found;
  const env = { ...process.env, GOBIN: join(DATA_DIRECTORY, 'bin') };
  return tryInstall(`ghz (go install ${GHZ})`, () => run('go', ['install', GHZ], env)) ? kept : null;
}

/**
 * The Python of a peer's own environment, installed from PyPI on first use.
 *
 * @param peer  `peer` (grpc.aio) or `mlserver`
 * @returns null where it cannot be installed
 */
export function findPython(peer) {
  const folder = join(DATA_DIRECTORY, `python-${peer}`);
  const python = process.env[`PYTHON_${peer.toUpperCase()}`] ?? join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  mkdirSync(DATA_DIRECTORY, { recursive: true });
  const packages = PEERS[peer];
  const installed = tryInstall(`${packages.join(' ')} (PyPI)`, () => {
    run('python3', ['-m', 'venv', `${folder}.draft`]);
    run(join(`${folder}.draft`, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
    run('mv', [`${folder}.draft`, folder]);
  });
  return installed ? python : null;
}

function tryInstall(what, install) {
  process.stderr.write(`installing ${what}\n`);
  try {
    install();
    return true;
  } catch (error) {
    process.stderr.write(
      `  not possible: ${String(error.stderr ?? error.message)
        .trim()
        .split('\n')
        .at(-1)}\n`,
    );
    return false;
  }
}

function run(command, args, env = process.env) {
  execFileSync(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: INSTALL_LIMIT_MS });
}
