// Closed-loop load on one server: so many callers, each with one call in progress.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PROTO_FILE } from './wire.mjs';

const CONNECTIONS = 8;
const MAX_REPORT_BYTES = 64 * 1024 * 1024;
const run = promisify(execFile);

/**
 * Loads the server on a port for some seconds.
 *
 * @param ghz  null: our own generator, which costs more CPU than ghz and so leaves the server less
 * @returns calls that were answered and that failed, wall seconds, and latency in ms at the 50th and 99th percentile
 */
export async function load({ ghz, port, messageFile, callers, seconds }) {
  return ghz === null
    ? loadByNode({ port, messageFile, callers, seconds })
    : loadByGhz(ghz, { port, messageFile, callers, seconds });
}

async function loadByGhz(ghz, { port, messageFile, callers, seconds }) {
  const args = [
    ['--insecure', '--proto', PROTO_FILE, '--call', 'inference.GRPCInferenceService/ModelInfer'],
    ['--binary-file', messageFile, '--concurrency', String(callers), '--connections', String(CONNECTIONS)],
    ['--duration', `${seconds}s`, '--duration-stop', 'wait', '--format', 'json', `127.0.0.1:${port}`],
  ].flat();
  const env = { ...process.env, GOMAXPROCS: '1' };
  const { stdout } = await run(ghz, args, { env, maxBuffer: MAX_REPORT_BYTES });
  const report = JSON.parse(stdout);
  const codes = report.statusCodeDistribution ?? {};
  const answered = codes.OK ?? 0;
  const total = Object.values(codes).reduce((sum, count) => sum + count, 0);
  const latencyMs = (percentage) =>
    (report.latencyDistribution?.find((each) => each.percentage === percentage)?.latency ?? 0) / 1e6;
  const wallSeconds = report.total / 1e9;
  return { answered, failed: total - answered, wallSeconds, p50Ms: latencyMs(50), p99Ms: latencyMs(99) };
}

async function loadByNode(call) {
  const script = fileURLToPath(new URL('./load-generator.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, [script, JSON.stringify(call)]);
  return JSON.parse(stdout);
}

export const sizeOf = (messageFile) => readFileSync(messageFile).byteLength;
