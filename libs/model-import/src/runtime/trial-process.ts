import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DomainError } from '@sextant/domain';
import type { RefusalCode } from '@sextant/onnx';
import type { ImportCheck } from '../import-check.js';
import type { TrialLine, TrialResult } from './trial.js';

/** What a trial may take. */
export interface TrialLimits {
  /** memory of its process */
  memoryBytes: number;
  timeMs: number;
}

export interface TrialOutcome {
  checks: ImportCheck[];
  /** null where a check failed */
  result: TrialResult | null;
  /** largest resident size that was seen; null where the system does not say */
  peakBytes: number | null;
}

const WATCH_MS = 25;
const MAX_OUTPUT_CHARACTERS = 4 * 1024 * 1024;
/** Heap of JavaScript; tensors lie outside of it. */
const HEAP_MIB = 1024;
/** V8 sets 512 MiB of addresses aside for code that it compiles; the kernel counts them, though they are hardly ever filled. */
const SET_ASIDE_BYTES = 640 * 1024 * 1024;

/** The compiled entry, also for a process that runs the TypeScript sources. */
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/runtime/trial-child.js', import.meta.url)
  : new URL('trial-child.js', import.meta.url);

/**
 * Tries a file in a process of its own: the kernel refuses it memory beyond the limit (Linux), its resident size is watched, and it is
 * ended after its time. Whatever the file does there, only that process ends.
 *
 * @param orderPath  JSON of a `TrialOrder`
 * @throws DomainError CONFIG_INVALID when the entry was not compiled; Error when the trial failed for reasons of its own
 */
export async function runTrial(orderPath: string, limits: TrialLimits): Promise<TrialOutcome> {
  const entry = fileURLToPath(ENTRY);
  if (!existsSync(entry)) {
    throw new DomainError('CONFIG_INVALID', `${entry} is not there: run tsc -b libs/model-import`);
  }
  const child = start([`--max-old-space-size=${HEAP_MIB}`, entry, orderPath], limits);
  const heard = new TrialLines(child);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
    child.once('error', reject);
  });
  const watch = new Watch(child, limits);
  const exit = await ended.finally(() => watch.stop());
  const { checks, result, running } = heard;
  if (result || checks.some(({ passed }) => !passed)) return { checks, result, peakBytes: watch.peakBytes };
  const failed = lost(running, { ...exit, stopped: watch.stopped, stderr: heard.stderr }, limits);
  return { checks: [...checks, failed], result: null, peakBytes: watch.peakBytes };
}

/** Under the kernel's limits, somewhat above ours, where the shell can set them; without the environment, which may hold secrets. */
function start(args: string[], { memoryBytes, timeMs }: TrialLimits): ChildProcess {
  const options = {
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'] as ('ignore' | 'pipe')[],
  };
  if (process.platform !== 'linux') return spawn(process.execPath, args, options);
  const seconds = Math.ceil((2 * timeMs) / 1000) + 1;
  const limits = `ulimit -c 0; ulimit -d ${Math.ceil((memoryBytes + SET_ASIDE_BYTES) / 1024)}; ulimit -t ${seconds}; exec "$0" "$@"`;
  return spawn('/bin/sh', ['-c', limits, process.execPath, ...args], options);
}

class TrialLines {
  readonly checks: ImportCheck[] = [];
  result: TrialResult | null = null;
  running: ImportCheck['name'] = 'format';
  stderr = '';
  private rest = '';
  private characters = 0;

  constructor(child: ChildProcess) {
    const lines = child.stdio[3] as Readable;
    lines.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (this.stderr.length < 4_000) this.stderr += text;
    });
  }

  private hear(text: string): void {
    this.characters += text.length;
    if (this.characters > MAX_OUTPUT_CHARACTERS) return;
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.take(JSON.parse(line) as TrialLine);
  }

  private take(line: TrialLine): void {
    if (line.kind === 'begins') this.running = line.check;
    else if (line.kind === 'check') this.checks.push(line.check);
    else this.result = line.result;
  }
}

type Stopped = 'memory' | 'time' | null;

/** Ends the process that outgrows its limits. */
class Watch {
  stopped: Stopped = null;
  peakBytes: number | null = null;
  private readonly ending = new AbortController();

  constructor(
    private readonly child: ChildProcess,
    private readonly limits: TrialLimits,
  ) {
    void this.watch();
  }

  stop(): void {
    this.ending.abort();
  }

  private async watch(): Promise<void> {
    const deadline = performance.now() + this.limits.timeMs;
    while (!this.ending.signal.aborted) {
      const resident = await residentBytes(this.child.pid);
      if (resident !== null) this.peakBytes = Math.max(this.peakBytes ?? 0, resident);
      if ((resident ?? 0) > this.limits.memoryBytes) return this.end('memory');
      if (performance.now() > deadline) return this.end('time');
      await pause(WATCH_MS, undefined, { signal: this.ending.signal }).catch(() => undefined);
    }
  }

  private end(why: Stopped): void {
    this.stopped = why;
    this.child.kill('SIGKILL');
  }
}

async function residentBytes(pid: number | undefined): Promise<number | null> {
  if (pid === undefined || process.platform !== 'linux') return null;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return found === undefined ? null : Number(found) * 1024;
}

interface Exit {
  code: number | null;
  signal: string | null;
  stopped: Stopped;
  stderr: string;
}

/** A process that is gone without a word: which limit it met, as far as that shows. */
function lost(name: ImportCheck['name'], exit: Exit, limits: TrialLimits): ImportCheck {
  const isMemory =
    exit.stopped === 'memory' ||
    /out of memory|bad_alloc|allocation failed|memory allocation|Cannot allocate/i.test(exit.stderr);
  const isTime = exit.stopped === 'time' || exit.signal === 'SIGXCPU' || exit.signal === 'SIGKILL';
  const mib = Math.round(limits.memoryBytes / 1024 ** 2);
  const [code, observed]: [RefusalCode, string] = isMemory
    ? ['MEMORY_EXCEEDED', `the trial took more than ${mib} MiB`]
    : isTime
      ? ['TIME_EXCEEDED', `the trial took more than ${limits.timeMs / 1000} s`]
      : ['RUN_FAILED', `the process that tried the file ended with ${exit.signal ?? `code ${exit.code}`}`];
  const required = `at most ${mib} MiB and ${limits.timeMs / 1000} s, in a process that survives`;
  return { name, passed: false, required, observed, code };
}
