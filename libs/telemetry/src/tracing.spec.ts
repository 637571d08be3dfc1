import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadTracing, type Tracing } from './tracing.js';

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  links?: { spanId: string }[];
  status?: { code: number; message?: string };
}

const receivers: Server[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const server of receivers.splice(0)) server.close();
});

/** An OTLP/HTTP receiver that keeps what it is sent. */
async function receiver(): Promise<{ url: string; spans: OtlpSpan[] }> {
  const spans: OtlpSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
      };
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans)));
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  receivers.push(server);
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

async function tracingTo(url: string, onProblem = (): void => undefined): Promise<Tracing> {
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
  const tracing = await loadTracing(process.env, { service: 'here', version: '1', onProblem });
  if (!tracing) throw new Error('tracing is off');
  return tracing;
}

describe('tracing', () => {
  it('continues the trace of the caller, and whom it calls can continue it', async () => {
    const { url, spans } = await receiver();
    const tracing = await tracingTo(url);
    const span = tracing.span('call', { traceparent: CALLER, tracestate: 'a=b' }, { kind: 'server' });
    const inner = span.child('inner', { startedAt: Date.now() - 5 });
    expect(inner.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(span.tracestate).toBe('a=b');
    inner.end();
    span.fail('no luck');
    span.end();
    await tracing.close();

    const [child, parent] = spans;
    expect(parent).toMatchObject({ name: 'call', parentSpanId: 'b7ad6b7169203331', kind: 2 });
    expect(parent?.status).toMatchObject({ code: 2, message: 'no luck' });
    expect(child).toMatchObject({ name: 'inner', traceId: parent?.traceId, parentSpanId: parent?.spanId });
  });

  it('links work that several calls share to each of them', async () => {
    const { url, spans } = await receiver();
    const tracing = await tracingTo(url);
    const calls = [tracing.span('a', {}), tracing.span('b', {})];
    tracing.span('batch', {}, { links: calls }).end();
    for (const call of calls) call.end();
    await tracing.close();

    const ids = ['a', 'b'].map((name) => spans.find((span) => span.name === name)?.spanId);
    expect(spans.find(({ name }) => name === 'batch')?.links?.map(({ spanId }) => spanId)).toEqual(ids);
  });

  it('records nothing of a trace that the caller does not sample, and says so to whom it calls', async () => {
    const { url, spans } = await receiver();
    const tracing = await tracingTo(url);
    const span = tracing.span('call', { traceparent: CALLER.replace(/01$/, '00') });
    expect(span.isRecording).toBe(false);
    expect(span.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
    span.end();
    await tracing.close();
    expect(spans).toEqual([]);
  });

  it.each(['', 'nonsense', '00-00000000000000000000000000000000-b7ad6b7169203331-01', `${CALLER}-extra`])(
    'begins a trace of its own where the caller sends %j',
    async (traceparent) => {
      const { url } = await receiver();
      const tracing = await tracingTo(url);
      const span = tracing.span('call', { traceparent });
      expect(span.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(span.traceparent).not.toContain('0af7651916cd43dd8448eb211c80319c');
      await tracing.close();
    },
  );

  it('says when nobody takes the spans, and still closes', async () => {
    const problems: string[] = [];
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '500');
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:1');
    const options = { service: 'here', version: '1', onProblem: (message: string) => problems.push(message) };
    const tracing = await loadTracing(process.env, options);
    tracing?.span('call', {}).end();
    await tracing?.close();
    expect(problems.join()).toContain('ECONNREFUSED');
  });
});

describe('loadTracing', () => {
  const load = (env: Record<string, string>): Promise<Tracing | null> =>
    loadTracing(env, { service: 'here', version: '1', onProblem: () => undefined });
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';

  it.each<Record<string, string>>([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
  ])('is off with %j', async (env) => {
    expect(await load(env)).toBeNull();
  });

  it('loads nothing of OpenTelemetry while it is off', () => {
    const script = `import { createRequire } from 'node:module';
      import { loadTracing } from '@sextant/telemetry';
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('@opentelemetry')).length;
      const load = (env) => loadTracing(env, { service: 'here', onProblem: () => undefined });
      await load({});
      const before = loaded();
      await load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
      console.log(JSON.stringify([before, loaded() > 0]));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect([stdout.trim(), stderr]).toEqual(['[0,true]', '']);
  });

  it.each<Record<string, string>>([
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_EXPORTER: 'jaeger' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'not a url' },
  ])('refuses %j', async (env) => {
    await expect(load(env)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
