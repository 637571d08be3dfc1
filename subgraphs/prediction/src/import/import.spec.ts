import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModelDirectory } from '@sextant/artefacts';
import { constant, encodeGraph, node } from '@sextant/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anIdentity, aPrediction, type Prediction } from '../testing/prediction.fixture.js';

const [A, B] = [0.05, -0.02];
const SAMPLE = Array.from({ length: 200 }, (_, i) => {
  const [recency, orders] = [(i * 37) % 90, (i * 13) % 50];
  const expected = 1 / (1 + Math.exp(-(A * recency + B * orders)));
  return {
    row: { 'recency.days': recency, 'count.order.total': orders },
    expected,
    label: (i * 7919) % 200 < 200 * expected ? 1 : 0,
  };
});
const value = (name: string, width: number) => ({
  name,
  type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_param: 'n' }, { dim_value: width }] } } },
});
const FILE = Buffer.from(
  encodeGraph({
    name: 'elsewhere',
    node: [node('MatMul', 'x w -> m'), node('Sigmoid', 'm -> p')],
    initializer: [constant('w', [2, 1], Float32Array.of(A, B))],
    input: [value('x', 2)],
    output: [value('p', 1)],
  }),
);
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const RESULT = `id state checks { name passed code observed } failure { code message }
  version { id stage origin onnxSha256 card { purpose } gates { name passed } history { to by } }`;
const IMPORT = `mutation ($input: ImportModelInput!) { importModel(input: $input) { ${RESULT} } }`;

let folder: string;
let prediction: Prediction;
let models: ModelDirectory;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sextant-imports-'));
  await Promise.all(
    ['demo', 'other'].map((tenant) => mkdir(join(folder, 'in', tenant), { recursive: true })),
  );
  await writeFile(join(folder, 'in/demo/churn.onnx'), FILE);
  await writeFile(join(folder, 'in/other/churn.onnx'), FILE);
  await symlink(join(folder, 'in/other/churn.onnx'), join(folder, 'in/demo/link.onnx'));
  models = new ModelDirectory(join(folder, 'models'));
  const env = { MODEL_REPOSITORY: models.root, SEXTANT_IMPORT_DIR: join(folder, 'in') };
  prediction = await aPrediction({ env });
});
afterAll(async () => {
  await prediction?.stop();
  await rm(folder, { recursive: true, force: true });
});

const inFolder = (path: string) => ({ url: pathToFileURL(join(folder, 'in', path)).href });
const anInput = (over: Record<string, unknown> = {}) => ({
  task: 'churn',
  source: inFolder('demo/churn.onnx'),
  sha256: SHA256,
  columns: [
    { feature: 'recency.days', fill: 0 },
    { feature: 'count.order.total', fill: 0 },
  ],
  sample: SAMPLE,
  card: { purpose: 'whom to call', trainingData: 'arithmetic', limitations: ['none'] },
  idempotencyKey: `key-${JSON.stringify(over).slice(0, 100)}`,
  ...over,
});
const takeIn = async (over: Record<string, unknown> = {}, as = anIdentity()) => {
  const { data, errors } = await prediction.ask(IMPORT, { input: anInput(over) }, as);
  return { imported: data?.importModel, errors: errors?.map(({ extensions }) => extensions.code) };
};

describe('importModel', () => {
  it('publishes a candidate, which promotes and rolls back like any other', async () => {
    const { imported } = await takeIn();
    expect(imported).toMatchObject({
      state: 'SUCCEEDED',
      failure: null,
      version: {
        id: 'demo.churn@1',
        stage: 'CANDIDATE',
        origin: 'IMPORTED',
        card: { purpose: 'whom to call' },
      },
    });
    expect(imported.version.gates.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
    expect(imported.version.history).toEqual([{ to: 'CANDIDATE', by: 'user-1' }]);
    const { manifest } = await models.readVersion('demo.churn', 1);
    expect(manifest?.imported?.sha256).toBe(SHA256);

    await takeIn({ idempotencyKey: 'second', horizonDays: 60 });
    const promote = (id: string) =>
      prediction.ask(
        `mutation { promoteModel(versionId: "${id}", to: LIVE) { version { stage } blockedBy { name } } }`,
      );
    const live = { version: { stage: 'LIVE' }, blockedBy: [] };
    expect((await promote('demo.churn@1')).data.promoteModel).toEqual(live);
    expect((await promote('demo.churn@2')).data.promoteModel).toEqual(live);
    expect((await models.readEntry('demo.churn')).live).toBe(2);
    const back = await prediction.ask(
      'mutation { rollbackModel(modelId: "churn", reason: "it was better") { id stage } }',
    );
    expect(back.data.rollbackModel).toEqual({ id: 'demo.churn@1', stage: 'LIVE' });
    expect((await models.readEntry('demo.churn')).live).toBe(1);
  });

  it('makes an import once for each key, and tells of it afterwards', async () => {
    const before = (await models.listVersions('demo.churn')).length;
    const both = await Promise.all([
      takeIn({ idempotencyKey: 'once', horizonDays: 21 }),
      takeIn({ idempotencyKey: 'once', horizonDays: 21 }),
    ]);
    const ids = both.map(({ imported }) => imported.id);
    expect(ids[0]).toBe(ids[1]);
    expect(await models.listVersions('demo.churn')).toHaveLength(before + 1);
    const again = await takeIn({ idempotencyKey: 'under another key', horizonDays: 21 });
    expect(again.imported.version.id).toBe(both[0]?.imported.version.id);
    expect(await models.listVersions('demo.churn')).toHaveLength(before + 1);
    const { data } = await prediction.ask(`{ modelImport(id: "${ids[0]}") { ${RESULT} } }`);
    expect(data.modelImport).toEqual(both[0]?.imported);
    const other = anIdentity({ tenantId: 'other' });
    expect(
      (await prediction.ask(`{ modelImport(id: "${ids[0]}") { id } }`, {}, other)).data.modelImport,
    ).toBeNull();
    expect((await takeIn({ idempotencyKey: 'once', horizonDays: 3 })).errors).toEqual([
      'IDEMPOTENCY_CONFLICT',
    ]);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['another file', { sha256: '0'.repeat(64) }, 'sha256', 'HASH_MISMATCH'],
    [
      'an address of this machine',
      { source: { url: 'https://127.0.0.1/model.onnx' } },
      'source',
      'SOURCE_REFUSED',
    ],
    [
      'a name of this machine',
      { source: { url: 'https://localhost/model.onnx' } },
      'source',
      'SOURCE_REFUSED',
    ],
    [
      'metadata of the cloud',
      { source: { url: 'https://169.254.169.254/latest' } },
      'source',
      'SOURCE_REFUSED',
    ],
    [
      'an address in another form',
      { source: { url: 'https://0x7f.1/model.onnx' } },
      'source',
      'SOURCE_REFUSED',
    ],
    ['plain http', { source: { url: 'http://example.com/model.onnx' } }, 'source', 'SOURCE_REFUSED'],
    ['another port', { source: { url: 'https://example.com:8443/model.onnx' } }, 'source', 'SOURCE_REFUSED'],
    ['a file outside', { source: { url: 'file:///etc/passwd' } }, 'source', 'SOURCE_REFUSED'],
    ['no file', { source: { url: 'data:application/octet-stream,x' } }, 'source', 'SOURCE_REFUSED'],
    ['no address', { source: { url: 'model.onnx' } }, 'source', 'SOURCE_REFUSED'],
    [
      'other answers',
      { sample: SAMPLE.map((each) => ({ ...each, expected: 1 - each.expected })) },
      'sample',
      'SAMPLE_DIFFERS',
    ],
    ['other columns', { columns: [{ feature: 'recency.days' }] }, 'signature', 'INPUT_MISMATCH'],
  ])('refuses %s', async (what, over, name, code) => {
    const versions = await models.listVersions('demo.churn');
    const { imported } = await takeIn({ ...over, idempotencyKey: what });
    expect(imported).toMatchObject({ state: 'REFUSED', version: null });
    expect(imported.checks.at(-1)).toMatchObject({ name, passed: false, code });
    expect(await models.listVersions('demo.churn')).toEqual(versions);
  });

  it('reads no file of another tenant, not through a link and not by the way up', async () => {
    for (const path of [
      'other/churn.onnx',
      'demo/link.onnx',
      'demo/../other/churn.onnx',
      'demo',
      'other/none.onnx',
    ]) {
      const { imported } = await takeIn({ source: inFolder(path), idempotencyKey: path });
      expect([path, imported.checks.at(-1).code]).toEqual([path, 'SOURCE_REFUSED']);
    }
    const { imported } = await takeIn({ source: inFolder('demo/none.onnx'), idempotencyKey: 'none' });
    expect(imported.checks.at(-1).code).toBe('SOURCE_UNREACHABLE');
  });

  it('names what is wrong with the input', async () => {
    expect((await takeIn({ task: 'price' })).errors).toEqual(['INVALID_INPUT']);
    expect((await takeIn({ columns: [{ feature: 'recency.day' }] })).errors).toEqual(['INVALID_INPUT']);
    expect((await takeIn({ source: {} })).errors).toEqual(['INVALID_INPUT']);
    expect((await takeIn({ sample: SAMPLE.slice(0, 3) })).errors).toEqual(['INVALID_INPUT']);
    expect((await takeIn({}, anIdentity({ scopes: ['model:read'] }))).errors).toEqual(['FORBIDDEN']);
  });
});

describe('an upload in parts', () => {
  const BEGIN =
    'mutation ($bytes: Int!) { beginModelUpload(input: { bytes: $bytes }) { id partBytes parts received } }';
  const APPEND = `mutation ($id: ID!, $part: Int!, $data: String!) {
    appendModelUpload(input: { uploadId: $id, part: $part, data: $data }) { received } }`;
  const begin = async (bytes: number) => (await prediction.ask(BEGIN, { bytes })).data.beginModelUpload;
  const append = (id: string, part: number, data: Buffer, as = anIdentity()) =>
    prediction.ask(APPEND, { id, part, data: data.toString('base64') }, as);

  it('is imported once all of it is here, whatever the order and however often a part came', async () => {
    const upload = await begin(FILE.byteLength);
    expect(upload).toMatchObject({ parts: 1, received: [] });
    const source = { uploadId: upload.id };
    const early = await takeIn({ source, idempotencyKey: 'upload', horizonDays: 22 });
    expect(early.imported).toMatchObject({ state: 'FAILED', failure: { code: 'UPLOAD_INCOMPLETE' } });
    for (let i = 0; i < 2; i++)
      expect((await append(upload.id, 0, FILE)).data.appendModelUpload.received).toEqual([0]);
    const { imported } = await takeIn({ source, idempotencyKey: 'upload', horizonDays: 22 });
    expect(imported).toMatchObject({ state: 'SUCCEEDED', version: { stage: 'CANDIDATE' } });
    const gone = await takeIn({ source, idempotencyKey: 'upload again' });
    expect(gone.imported.failure.code).toBe('UPLOAD_NOT_FOUND');
  });

  it('has parts of 4 MiB, and takes no other', async () => {
    const upload = await begin(5 * 1024 ** 2);
    expect(upload).toMatchObject({ parts: 2, partBytes: 4 * 1024 ** 2 });
    const codes = async (part: number, data: Buffer, as = anIdentity()) =>
      (await append(upload.id, part, data, as)).errors?.map(({ extensions }) => extensions.code);
    expect(await codes(1, Buffer.alloc(1024 ** 2))).toBeUndefined();
    expect(await codes(1, Buffer.alloc(1024 ** 2, 1))).toEqual(['IDEMPOTENCY_CONFLICT']);
    expect(await codes(0, Buffer.alloc(10))).toEqual(['INVALID_INPUT']);
    expect(await codes(2, Buffer.alloc(10))).toEqual(['INVALID_INPUT']);
    expect(await codes(0, Buffer.alloc(4 * 1024 ** 2), anIdentity({ tenantId: 'other' }))).toEqual([
      'UPLOAD_NOT_FOUND',
    ]);
    expect(await codes(0, Buffer.alloc(4 * 1024 ** 2))).toBeUndefined();
  });

  it('is one of at most four of a tenant', async () => {
    const tenant = anIdentity({ tenantId: 'uploads' });
    for (let i = 0; i < 4; i++) await prediction.ask(BEGIN, { bytes: 1 }, tenant);
    const { errors } = await prediction.ask(BEGIN, { bytes: 1 }, tenant);
    expect(errors?.[0]?.extensions.code).toBe('UPLOAD_LIMIT_REACHED');
  });
});
