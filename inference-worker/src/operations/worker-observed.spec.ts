import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openInferenceService } from '@sextant/inference-protocol';
import { node } from '@sextant/onnx';
import { loadTracing } from '@sextant/telemetry';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aGraph } from '../testing/test-graphs.js';
import { aRepository, publishWideRecommender, type TestRepository } from '../testing/test-models.js';
import { eventually, sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  links?: { spanId: string }[];
  attributes: { key: string; value: Record<string, unknown> }[];
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
/** A number that stands in no file and no message of ours. */
const MARKER = 987_654_321;
const MARKER_TEXT = 'marker-of-a-person';

let repository: TestRepository;
let worker: TestWorker | undefined;
let receiver: Server | undefined;
const spans: Span[] = [];
const log: string[] = [];

beforeEach(async () => {
  spans.length = 0;
  log.length = 0;
  repository = await aRepository();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await worker?.stop();
  receiver?.close();
  await repository.remove();
});

async function startReceiver(): Promise<string> {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans)));
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  return `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
}

async function start(env: Record<string, string> = {}, isTraced = false): Promise<TestWorker> {
  if (isTraced) {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', await startReceiver());
    vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '50');
  }
  const onProblem = (problem: string): void => void log.push(problem);
  const tracing = await loadTracing(process.env, { service: 'inference-worker', onProblem });
  const logger = pino({ level: 'trace' }, { write: (line: string) => void log.push(line) });
  worker = await startTestWorker(repository.directory.root, env, { logger, tracing });
  return worker;
}

/** Looks numbers up by their position in a table; a position beyond it fails in ONNX Runtime, whose message tells it. */
async function putLookUp(): Promise<void> {
  const folder = join(repository.directory.root, 'look-up', '1');
  await mkdir(folder, { recursive: true });
  const table = { name: 'table', datatype: 'FP32', shape: [4] } as const;
  const position = { name: 'position', datatype: 'INT64', shape: [1] } as const;
  const found = { name: 'found', datatype: 'FP32', shape: [1] } as const;
  const graph = aGraph([node('Gather', 'table position -> found')], [table, position], [found]);
  await writeFile(join(folder, 'model.onnx'), graph);
}

const recommend = (target: TestWorker, traceparent: string): Promise<unknown> =>
  target.client.recommend(
    { model: 'demo.recommend', rows: [{ history: ['i0'], first: 1 }] },
    { deadlineMs: 20_000, traceparent },
  );

describe('a traced worker', () => {
  it('shows for each call how long it waited and was computed, and the batch that it shared', async () => {
    await publishWideRecommender(repository.directory, 900);
    const target = await start({ INFERENCE_INLINE_MS: '0' }, true);
    const callers = ['b7ad6b7169203331', 'b7ad6b7169203332', 'b7ad6b7169203333', 'b7ad6b7169203334'];
    await Promise.all(callers.map((caller) => recommend(target, `00-${TRACE_ID}-${caller}-01`)));
    const named = (name: string): Span[] => spans.filter((span) => span.name === name);
    const calls = await eventually(() => {
      const found = named('sextant.inference.v1.Decisions/Recommend');
      return found.length === 4 && named('compute').length === 4 && found;
    });

    expect(calls.map(({ parentSpanId }) => parentSpanId).sort()).toEqual(callers);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE_ID]));
    const ids = calls.map(({ spanId }) => spanId).sort();
    for (const name of ['queue', 'compute'])
      expect(
        named(name)
          .map(({ parentSpanId }) => parentSpanId)
          .sort(),
      ).toEqual(ids);
    const linked = named('batch').flatMap(({ links = [] }) => links.map(({ spanId }) => spanId));
    expect(linked.sort()).toEqual(ids);
    for (const span of named('compute')) {
      const call = calls.find(({ spanId }) => spanId === span.parentSpanId);
      expect(BigInt(span.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(call?.startTimeUnixNano ?? 0));
      expect(BigInt(span.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(call?.endTimeUnixNano ?? 0));
    }
    const rows = named('batch').map(({ attributes }) =>
      Number(attributes.find(({ key }) => key === 'sextant.batch.rows')?.value['intValue']),
    );
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(4);
  });

  it('tells nothing of calls whose caller does not sample, nor of probes', async () => {
    await publishWideRecommender(repository.directory, 3);
    const target = await start({}, true);
    await recommend(target, `00-${TRACE_ID}-b7ad6b7169203331-00`);
    await target.stop();
    worker = undefined;
    expect(spans).toEqual([]);
  });
});

describe('the log of a worker', () => {
  it('holds nothing of the rows that failed, whoever refused them', async () => {
    await publishWideRecommender(repository.directory, 3);
    await putLookUp();
    const target = await start({ MODEL_AUTOCOMPLETE: 'true' });
    const lookUp = (position: number): Promise<unknown> =>
      target.call(openInferenceService, 'ModelInfer', {
        modelName: 'look-up',
        inputs: [
          { name: 'table', datatype: 'FP32', shape: [4], contents: { fp32Contents: [1, 2, 3, 4] } },
          { name: 'position', datatype: 'INT64', shape: [1], contents: { int64Contents: [position] } },
        ],
      });
    await lookUp(2);
    await expect(lookUp(MARKER)).rejects.toMatchObject({ code: 13 });
    const rows = [{ history: [MARKER_TEXT], first: 1_000_000 }];
    for (const model of ['demo.recommend', MARKER_TEXT])
      await expect(target.client.recommend({ model, rows }, { deadlineMs: 5_000 })).rejects.toThrow();

    const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ rpc: 'ModelInfer', code: 'INTERNAL', model: 'look-up', operator: 'Gather' }),
    );
    expect(lines.filter(({ msg }) => msg === 'call refused').length).toBeGreaterThanOrEqual(2);
    expect(log.join('')).not.toMatch(new RegExp(`${MARKER}|${MARKER_TEXT}`));
    const failures = 'nv_inference_request_failure{model="look-up",version="1",reason="BACKEND"}';
    expect(sample(await target.metrics(), failures)).toBe(1);
  });
});

describe('the failures of a worker', () => {
  it('tell who gave up from whose deadline passed', async () => {
    await publishWideRecommender(repository.directory, 3_000);
    const target = await start({ INFERENCE_INLINE_MS: '0', INFERENCE_MAX_BATCH_ROWS: '1' });
    const rows = Array.from({ length: 60 }, () => ({ history: ['i0'], first: 1 }));
    const long = target.client.recommend({ model: 'demo.recommend', rows }, { deadlineMs: 20_000 });
    await eventually(async () => sample(await target.metrics(), 'sextant_inference_pending_rows') > 0);
    const abort = new AbortController();
    const options = { deadlineMs: 20_000, signal: abort.signal };
    const given = target.client.recommend({ model: 'demo.recommend', rows }, options);
    await eventually(async () => sample(await target.metrics(), 'sextant_inference_pending_rows') > 60);
    abort.abort(new Error('not wanted any more'));
    await expect(given).rejects.toThrow('not wanted any more');
    await long;

    const failures = async (reason: string): Promise<number> =>
      sample(
        await target.metrics(),
        `nv_inference_request_failure{model="demo.recommend",version="1",reason="${reason}"}`,
      );
    await eventually(async () => (await failures('CANCELED')) === 1);
    expect(await failures('DEADLINE')).toBe(0);
    expect(await failures('OTHER')).toBe(0);
  });
});
