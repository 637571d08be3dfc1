// CPU time and memory of a process with all its children, from the kernel's accounting (Linux).
import { readdirSync, readFileSync } from 'node:fs';

/** The process and everything it started. */
export function processTree(pid) {
  const own = threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...own.flatMap(processTree)];
}

/** Microseconds on a CPU of all threads that still live. */
export function cpuMicros(pid) {
  let nanos = 0;
  for (const each of processTree(pid)) {
    for (const thread of threadsOf(each))
      nanos += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(' ')[0] ?? 0);
  }
  return nanos / 1_000;
}

/** Resident bytes of all processes together. */
export function residentBytes(pid) {
  return processTree(pid).reduce((sum, each) => {
    const [, kibibytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${each}/status`)) ?? [];
    return sum + Number(kibibytes) * 1_024;
  }, 0);
}

function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A file of a process that may have ended meanwhile. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
