import { type MethodDefinition, type ServiceDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { decisionsService, toFeatureTable } from '@sextant/inference-protocol';
import { seededRandom } from '@sextant/learning';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aRepository,
  publishLead,
  publishPrice,
  publishRecommender,
  type TestRepository,
} from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const ANSWERS = [
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.RESOURCE_EXHAUSTED,
  status.DEADLINE_EXCEEDED,
];
const quote = {
  product: 'p1',
  listPriceMinor: 1200,
  costMinor: 600,
  floorMinor: 630,
  ceilingMinor: 1900,
  stepMinor: 1,
  rounding: 'x.99',
  currency: 'EUR',
};
const REQUESTS = {
  Recommend: {
    model: 'demo.recommend',
    rows: Array.from({ length: 5 }, () => ({ history: ['a', 'b'], exclude: ['c'], first: 3 })),
    reasonsPerItem: 2,
  },
  ScoreLeads: {
    model: 'demo.lead',
    rows: toFeatureTable([{ visits: 1, channel: 'web' }, { visits: 2 }]),
    explain: true,
  },
  QuotePrices: {
    model: 'demo.price',
    rows: [quote, quote],
    context: toFeatureTable([{ display: 1 }, { display: 0 }]),
    explain: true,
  },
  PredictDemand: { model: 'demo.price', rows: toFeatureTable([{ product: 'p1', price: 9 }]) },
};
let repository: TestRepository;
let worker: TestWorker;

beforeAll(async () => {
  repository = await aRepository();
  const { directory } = repository;
  await publishRecommender(directory, {
    items: ['a', 'b', 'c', 'd'],
    matrix: new Float32Array(20).fill(0.1),
  });
  await publishLead(directory);
  await publishPrice(directory);
  worker = await startTestWorker(directory.root);
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

/** The service with requests that are bytes already. */
const overBytes: ServiceDefinition = Object.fromEntries(
  Object.entries(decisionsService).map(([name, method]) => [
    name,
    { ...method, requestSerialize: (bytes: Buffer) => bytes },
  ]),
);

async function statusOf(rpc: string, message: object): Promise<status> {
  return worker.call(overBytes, rpc, message, 5_000).then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
}

/** A byte changed, a piece cut out, a piece doubled, or the end gone. */
function damaged(message: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * message.length);
  const end = Math.min(message.length, at + 1 + Math.floor(random() * 12));
  const kind = Math.floor(random() * 4);
  if (kind === 0)
    return Buffer.from(message.map((byte, i) => (i === at ? Math.floor(random() * 256) : byte)));
  if (kind === 1) return Buffer.concat([message.subarray(0, at), message.subarray(end)]);
  if (kind === 2) return Buffer.concat([message.subarray(0, end), message.subarray(at)]);
  return Buffer.from(message.subarray(0, at));
}

describe('damaged messages', () => {
  it.each(Object.keys(REQUESTS) as (keyof typeof REQUESTS)[])(
    'of %s get a status that blames the caller or an answer, and the next call is served',
    async (rpc) => {
      const { requestSerialize } = decisionsService[rpc] as MethodDefinition<object, object>;
      const whole = requestSerialize(REQUESTS[rpc]);
      const random = seededRandom(11);
      const messages = Array.from({ length: 250 }, () => damaged(whole, random));
      const codes = await Promise.all(messages.map((message) => statusOf(rpc, message)));
      codes.forEach((code, i) =>
        expect(ANSWERS, `${messages[i]?.toString('hex')} → ${status[code]}`).toContain(code),
      );
      expect(codes).toContain(status.INVALID_ARGUMENT);
      expect(await statusOf(rpc, whole)).toBe(status.OK);
    },
  );
});
