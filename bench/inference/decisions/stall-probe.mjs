// Loaded before the worker (`node --import`): tells the parent, when asked, what the main thread was busy with in one piece. CPU time
// of the thread is measured, not the clock, so that a busy machine does not look like a stall.
import { setInterval } from 'node:timers';

const TICK_MS = 1;
let longestUs = 0;
let before = threadUs();

function threadUs() {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

setInterval(() => {
  const now = threadUs();
  longestUs = Math.max(longestUs, now - before);
  before = now;
}, TICK_MS).unref();

process.on('message', (command) => {
  if (command !== 'read') return;
  const { user, system } = process.cpuUsage();
  process.send({
    longestMs: longestUs / 1_000,
    mainMs: threadUs() / 1_000,
    processMs: (user + system) / 1_000,
  });
  longestUs = 0;
});
process.channel?.unref();
