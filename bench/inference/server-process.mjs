// One contestant as a process of its own, from its start until it has ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { processTree } from './process-cpu.mjs';
import { rawClient } from './wire.mjs';

const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 15_000;

/**
 * Starts a server and waits until it answers `request`.
 *
 * @returns its process id and how to stop it
 * @throws Error with the end of its output when it ends or does not answer in time
 */
export async function startServer({ command, args, env = {}, folder }, port, request) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk) => (output = (output + chunk).slice(-4_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) await end(child);
    if (folder) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(child, port, request);
  } catch (error) {
    await stop();
    throw new Error(`${command} ${args.join(' ')}: ${error.message}\n${output}`, { cause: error });
  }
  return { pid: child.pid, stop };
}

async function answers(child, port, request) {
  const client = rawClient(port);
  const limit = Date.now() + START_LIMIT_MS;
  try {
    for (;;) {
      const failure = await client.infer(request, 5_000).then(
        () => null,
        (error) => error,
      );
      if (failure === null) return;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('ended while it started');
      if (Date.now() > limit) throw failure;
      await pause(100);
    }
  } finally {
    client.close();
  }
}

async function end(child) {
  const exited = once(child, 'exit');
  const tree = processTree(child.pid);
  child.kill('SIGTERM');
  const timer = setTimeout(() => tree.forEach(killHard), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

function killHard(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
