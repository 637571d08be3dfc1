// `npm test`: builds, checks types, lint, format and composition, then runs the tests, and ends with one line of counts.
// `npm test -- --quick` leaves out the tests that start all processes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name) => join(root, 'node_modules/.bin', name);
const quick = process.argv.includes('--quick');
const reports = mkdtempSync(join(tmpdir(), 'sextant-test-'));
let broken = 0;

check('build', bin('tsc'), ['-b']);
check('types of the tests', bin('tsc'), ['-p', 'tsconfig.check.json']);
check('project graph', bin('nx'), ['show', 'projects']);
check('lint', bin('eslint'), ['--max-warnings', '0', '.']);
check('format', bin('prettier'), ['--check', '--log-level', 'warn', '.']);
check('composition', process.execPath, ['tools/compose.mjs', '--check']);
check('breaking changes', process.execPath, ['tools/schema-check.mjs']);
const ofProcesses = ['vitest.worker.config.ts', 'vitest.e2e.config.ts'];
const counts = ['vitest.config.ts', 'vitest.conformance.config.ts', ...(quick ? [] : ofProcesses)].map(
  vitest,
);
rmSync(reports, { recursive: true, force: true });

const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
const failed = sum('failed') + broken;
console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`);
process.exit(failed === 0 ? 0 : 1);

function check(name, command, args) {
  const started = Date.now();
  const { status, stdout } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', name === 'project graph' ? 'pipe' : 'inherit', 'inherit'],
  });
  if (status !== 0) {
    broken += 1;
    if (stdout) process.stdout.write(stdout);
  }
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
}

function vitest(config) {
  const outputFile = join(reports, `${config}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const { status } = spawnSync(bin('vitest'), ['run', '--config', config, ...reporters], {
    cwd: root,
    stdio: 'inherit',
  });
  const report = readReport(outputFile);
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const {
    numPassedTests: passed,
    numFailedTests: failedTests,
    numPendingTests: pending,
    numTodoTests: todo,
  } = report;
  // A file that cannot be loaded has no failed test of its own, but the run has failed.
  return { passed, failed: status === 0 ? failedTests : Math.max(1, failedTests), skipped: pending + todo };
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
