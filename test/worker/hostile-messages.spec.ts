import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, INFER, STATUS } from './grpc-caller.js';
import { type HostileCall, mutations } from './hostile-call.js';
import { hostileProtobuf } from './hostile-protobuf.js';
import { hostileTensors } from './hostile-tensors.js';
import { hostileTransport } from './hostile-transport.js';
import { encodeInfer } from './infer-wire.js';
import { printTable } from './print-table.js';
import { type QuickWorker, startQuickWorker } from './quick-worker.js';
import { seeded, sumInput } from './worker-models.js';

const MEGABYTE = 1024 * 1024;
/** Nothing that stands in a message may show how the worker is built. */
const INTERNAL_TEXT =
  /node_modules|\.js:\d|\.ts:\d|\bat \w+ \(|\/src\/|\/dist\/|TypeError|RangeError|undefined|\[object /;

let quick: QuickWorker;

beforeAll(async () => {
  quick = await startQuickWorker();
});
afterAll(() => quick?.stop());

function send({ frame, path = INFER, headers = {} }: HostileCall): Promise<Answer> {
  return quick.caller.send(path, frame, { deadlineMs: 10_000, headers });
}

/** What is wrong with an answer; empty when nothing is. */
function faultOf({ expected, name }: HostileCall, { status, message, tookMs }: Answer): string {
  const said = `${name}: ${status} "${message.slice(0, 200)}" after ${Math.round(tookMs)} ms`;
  if (!quick.worker.isAlive()) return `${said}: the process is gone`;
  if (status === -1 && !message.startsWith('HTTP 415')) return `${said}: no status`;
  if (expected ? !expected.includes(status) : status === STATUS.UNKNOWN)
    return `${said}: not the status that it should get`;
  if (INTERNAL_TEXT.test(message)) return `${said}: shows internal text`;
  if (message.length > 2_000) return `${said}: ${message.length} characters long`;
  return '';
}

async function faultsOf(calls: readonly HostileCall[]): Promise<string[]> {
  const faults: string[] = [];
  for (const call of calls) {
    const fault = faultOf(call, await send(call));
    if (fault) faults.push(fault);
  }
  await quick.expectServes();
  return faults;
}

describe('a message that no honest client sends gets a status, and the worker serves on', () => {
  it.each<[string, () => HostileCall[]]>([
    ['tensors that do not fit', hostileTensors],
    ['protobuf that no encoder writes', hostileProtobuf],
    ['frames and headers', hostileTransport],
  ])('%s', async (_, calls) => {
    expect(await faultsOf(calls())).toEqual([]);
  });

  it('1,400 mutations of good messages, with raw and typed contents', async () => {
    const draw = seeded(20_260_301);
    const question = { model: 'quick.recommend', id: 'q-17', inputs: [sumInput(3, 9)] };
    const raw = encodeInfer(question);
    const typed = encodeInfer(question, { areTyped: true });
    expect(await faultsOf([...mutations(raw, 700, draw), ...mutations(typed, 700, draw)])).toEqual([]);
  });

  it('takes no more memory for it, however often', async () => {
    const calls = [...hostileTensors(), ...hostileProtobuf(), ...hostileTransport()];
    const sizes: { residentMb: number; heapMb: number }[] = [];
    for (let pass = 0; pass < 3; pass += 1) {
      const faults = await Promise.all(calls.map(async (call) => faultOf(call, await send(call))));
      expect(faults.filter(Boolean)).toEqual([]);
      await quick.expectServes();
      const [resident = 0, heap = 0] = await quick.worker.metrics(
        'process_resident_memory_bytes',
        'nodejs_heap_size_used_bytes',
      );
      sizes.push({ residentMb: resident / MEGABYTE, heapMb: heap / MEGABYTE });
    }
    printTable(`memory after each pass of ${calls.length} hostile calls at once`, sizes);
    expect(sizes[2]?.residentMb ?? Infinity).toBeLessThan(1_024);
    expect((sizes[2]?.residentMb ?? Infinity) - (sizes[1]?.residentMb ?? 0)).toBeLessThan(100);
  });
});
