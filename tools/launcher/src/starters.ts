import { spawnSync } from 'node:child_process';
import { DomainError } from '@sextant/domain';

const POLL_MS = 500;
const NODE_MAJOR = 24;

/** @throws DomainError CONFIG_INVALID on a Node that lacks what the processes use; `npm start` brings the right one along */
export function checkNode(version: string): void {
  if (Number(version.split('.')[0]) >= NODE_MAJOR) return;
  throw new DomainError(
    'CONFIG_INVALID',
    `this is Node ${version}, and Sextant runs on Node ${NODE_MAJOR}: use \`npm start\`, which brings it along`,
  );
}

/**
 * The process that asked for this one: npm, past the shell that npm puts between. A signal to npm alone does not reach us,
 * so we look whether it is still there.
 */
export function starterOf(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const [, grandparent, command = ''] = /^\s*(\d+)\s+(.+?)\s*$/.exec(stdout ?? '') ?? [];
  return grandparent !== undefined && /(^|\/)(ba|da|z)?sh$/.test(command) ? Number(grandparent) : pid;
}

/** Calls once, when the process is gone. */
export function whenGone(pid: number, act: () => void, everyMs: number = POLL_MS): void {
  const timer = setInterval(() => {
    if (isAlive(pid)) return;
    clearInterval(timer);
    act();
  }, everyMs);
  timer.unref();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
