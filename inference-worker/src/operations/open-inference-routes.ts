import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { ModelControl } from '../models/model-control.js';
import type { ModelRunner } from '../models/model-runner.js';
import { modelMetadata, serverMetadata } from '../open-inference/model-metadata.js';
import { type CallContext, PRIORITY } from '../transport/call-context.js';
import { failure, json, type Reply, type Route } from './http-routes.js';
import { reportStatistics } from './statistics-report.js';
import type { VersionStatistics } from './version-statistics.js';
import type { WorkerLifecycle } from './worker-lifecycle.js';

export interface ProtocolSources {
  lifecycle: WorkerLifecycle;
  catalogue: ModelCatalogue;
  control: ModelControl;
  runner: ModelRunner;
  versions: VersionStatistics;
  version: string;
}

/** A question over HTTP may wait this long for a version that left memory. */
const DEADLINE_MS = 10_000;
const MODEL = '/v2/models/([^/]+)(?:/versions/([^/]+))?';

/**
 * Health, metadata, statistics and index of the Open Inference Protocol over HTTP, as KServe and Triton define them. Health says no with
 * 400, as the protocol has it. There is no inference over HTTP.
 */
export function openInferenceRoutes(sources: ProtocolSources): Route[] {
  const { lifecycle, catalogue, control, versions, version } = sources;
  const get = (path: string, answer: (name: string, version: string) => Reply | Promise<Reply>): Route => ({
    method: 'GET',
    pattern: new RegExp(`^${path}/?$`),
    answer: ({ params: [name = '', of = ''] }) => answered(() => answer(name, of)),
  });
  const isReady = (): boolean => lifecycle.state === 'ready';
  return [
    get('/v2', () => json(200, serverMetadata(version))),
    get('/v2/health/live', () => json(200, { live: true })),
    get('/v2/health/ready', () => json(isReady() ? 200 : 400, { ready: isReady() })),
    get('/v2/models/stats', () => statistics(sources, '', '')),
    get(`${MODEL}/ready`, (name, of) => {
      const slot = catalogue.get(name, of);
      return json(isReady() ? 200 : 400, { name: slot.model, ready: isReady() });
    }),
    get(`${MODEL}/stats`, (name, of) => statistics({ catalogue, versions }, name, of)),
    get(MODEL, (name, of) => metadata(sources, name, of)),
    {
      method: 'POST',
      pattern: /^\/v2\/repository\/index\/?$/,
      answer: ({ body }) => repositoryIndex(control, body),
    },
  ];
}

function statistics(
  { catalogue, versions }: Pick<ProtocolSources, 'catalogue' | 'versions'>,
  name: string,
  version: string,
): Reply {
  return json(200, snakeCased({ modelStats: reportStatistics(catalogue, versions, { name, version }) }));
}

async function metadata(
  { runner, catalogue }: ProtocolSources,
  model: string,
  version: string,
): Promise<Reply> {
  return runner.with({ model, version }, questionContext(), async (served) =>
    json(200, modelMetadata(served, catalogue.versionsOf(served.model))),
  );
}

async function repositoryIndex(control: ModelControl, body: string): Promise<Reply> {
  const onlyReady = readyOf(body);
  if (onlyReady === null) return failure(400, 'the body must be empty or {"ready": true or false}');
  return json(200, await control.index(onlyReady));
}

function readyOf(body: string): boolean | null {
  if (body.trim() === '') return false;
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const { ready = false } = value as { ready?: unknown };
    return typeof ready === 'boolean' ? ready : null;
  } catch {
    return null;
  }
}

/** Intended failures as the protocol words them. */
async function answered(answer: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return failure(
      error.kind === 'not-found' ? 404 : error.kind === 'unavailable' ? 503 : 500,
      error.message,
    );
  }
}

function questionContext(): CallContext {
  return {
    deadline: Date.now() + DEADLINE_MS,
    tenant: '',
    priority: PRIORITY.LOW,
    isCounted: true,
    routingKey: '',
    traceparent: undefined,
    tracestate: undefined,
    isCancelled: false,
    onCancelled: () => undefined,
    served: undefined,
  };
}

/** The JSON form of a message: field names as in the .proto file. */
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCased(inner),
    ]),
  );
}
