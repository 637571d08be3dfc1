import { createHash } from 'node:crypto';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitoringReference } from '@sextant/artefacts';
import { constant, encodeGraph, ModelRefused, node } from '@sextant/onnx';
import { describe, expect, it } from 'vitest';
import { importModel, type ImportOutcome } from './import-model.js';
import { type ImportOrder, parseImportOrder } from './import-order.js';

const LIMITS = { memoryBytes: 320 * 1024 ** 2, timeMs: 15_000 };
const NOW = new Date('2026-03-01T00:00:00Z');
const [A, B] = [0.05, -0.02];
const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));

/** Recency and orders of 200 customers, the model's own probabilities, and labels drawn from them. */
const ROWS = Array.from({ length: 200 }, (_, i) => ({ recency: (i * 37) % 90, orders: (i * 13) % 50 }));
const SAMPLE = ROWS.map(({ recency, orders }, i) => {
  const expected = sigmoid(A * recency + B * orders);
  return {
    row: { 'recency.days': recency, 'count.order.total': orders },
    expected,
    label: (i * 7919) % 200 < 200 * expected ? 1 : 0,
  };
});
const FLOAT = 1;
const shape = (...sizes: number[]) => ({
  dim: sizes.map((size) => (size < 0 ? { dim_param: 'n' } : { dim_value: size })),
});
const value = (name: string, width: number, type = FLOAT) => ({
  name,
  type: { tensor_type: { elem_type: type, shape: shape(-1, width) } },
});
const WEIGHTS = constant('w', [2, 1], Float32Array.of(A, B));

/** `x` [n, 2] → margin `m` [n, 1], then the given nodes to `p`. */
function aModel(
  nodes: object[],
  initializers: object[] = [],
  parts: { x?: number; p?: number } = {},
): Uint8Array {
  return encodeGraph({
    name: 'test',
    node: [node('MatMul', 'x w -> m'), ...nodes],
    initializer: [WEIGHTS, ...initializers],
    input: [value('x', parts.x ?? 2)],
    output: [value('p', parts.p ?? 1)],
  });
}
const GOOD = aModel([node('Sigmoid', 'm -> p')]);

const ORDER = {
  tenantId: 'demo',
  task: 'churn',
  source: { url: 'file:///model.onnx' },
  columns: [
    { feature: 'recency.days', fill: 0 },
    { feature: 'count.order.total', fill: 0 },
  ],
  output: {},
  horizonDays: 30,
  sample: SAMPLE,
  card: { purpose: 'whom to call', trainingData: 'arithmetic', limitations: ['none'] },
};

const take = (
  bytes: Uint8Array,
  order: Record<string, unknown> = {},
  limits = LIMITS,
): Promise<ImportOutcome> => {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const parsed: ImportOrder = parseImportOrder({ ...ORDER, sha256, ...order });
  return importModel(parsed, { fetch: async () => bytes, limits, now: () => NOW });
};
const lastOf = ({ checks }: ImportOutcome) => {
  const last = checks.at(-1);
  return [last?.name, last?.passed, last?.code];
};

describe('importModel', () => {
  it('makes a candidate of a file that passes, with gates measured on the labels', async () => {
    const { checks, imported } = await take(GOOD);

    expect(checks.map(({ name, passed }) => [name, passed])).toEqual(
      [
        'source',
        'sha256',
        'format',
        'operators',
        'signature',
        'opens',
        'sample',
        'range',
        'determinism',
        'latency',
      ].map((name) => [name, true]),
    );
    expect(imported?.gates.map(({ name, passed }) => [name, passed])).toEqual([
      ['better-than-baseline', true],
      ['calibration', true],
      ['no-leak', true],
      ['onnx-parity', true],
      ['latency', true],
      ['complete-card', true],
    ]);
    expect(imported?.draft).toMatchObject({
      model: 'demo.churn',
      dataRows: 200,
      imported: { producer: 'sextant', inputs: ['x'], output: 'p', sampleRows: 200 },
      onnx: {
        inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [{ name: 'probability' }],
      },
      spec: { task: 'churn', family: 'imported', explainFile: null, horizonDays: 30 },
    });
    expect(imported?.importance).toEqual({
      'recency.days': expect.closeTo(0.82, 1),
      'count.order.total': expect.closeTo(0.18, 1),
    });
    expect(imported?.draft.monitorFile).toBe('monitor.json');
    const reference = monitoringReference.parse(
      JSON.parse(
        String(
          imported?.files.get('monitor.json') &&
            Buffer.from(imported.files.get('monitor.json') ?? []).toString('utf8'),
        ),
      ),
    );
    expect([reference.rows, reference.features.map(({ name }) => name).sort()]).toEqual([
      200,
      ['count.order.total', 'recency.days'],
    ]);
    expect(reference.performance).toMatchObject({ measure: 'auc', rows: 200 });
    expect(imported?.draft.imported?.largestDifference).toBeLessThan(1e-6);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('sextant-import-'))).toEqual([]);
  });

  it('takes log-odds, lists as rows, another class and a calibration', async () => {
    const margins = aModel([node('Identity', 'm -> p')]);
    const rows = SAMPLE.map((each, i) => ({ ...each, row: [ROWS[i]?.recency ?? 0, ROWS[i]?.orders ?? 0] }));
    const calibrated = await take(margins, {
      sample: rows,
      output: { meaning: 'LOG_ODDS', calibration: { a: 0.5, b: 0.1 } },
    });
    expect(lastOf(calibrated)).toEqual(['latency', true, null]);
    expect(calibrated.imported?.draft.spec).toMatchObject({ bands: { warm: expect.any(Number) } });

    const two = aModel(
      [
        node('Sigmoid', 'm -> s'),
        node('Sub', 'one s -> t'),
        { ...node('Concat', 's t -> p'), attribute: [{ name: 'axis', i: 1, type: 2 }] },
      ],
      [constant('one', [1], Float32Array.of(1))],
      { p: 2 },
    );
    expect(lastOf(await take(two, { output: { positiveClass: '0' } }))).toEqual(['latency', true, null]);
    expect(lastOf(await take(two))).toEqual(['sample', false, 'SAMPLE_DIFFERS']);
  });

  it('says which gates nobody measured, and which words are missing', async () => {
    const sample = SAMPLE.map(({ row, expected }) => ({ row, expected }));
    const { imported } = await take(GOOD, { sample, card: {} });
    expect(
      imported?.gates.filter(({ passed }) => !passed).map(({ name, observed }) => [name, observed]),
    ).toEqual([
      ['better-than-baseline', expect.stringContaining('not measured: 0 rows of the sample have a label')],
      ['calibration', expect.stringContaining('not measured')],
      ['no-leak', expect.stringContaining('not measured')],
      ['complete-card', 'without purpose, trainingData, limitations'],
    ]);
  });

  it('passes refusals of the source on, and refuses other bytes than were announced', async () => {
    const order = parseImportOrder({ ...ORDER, sha256: '0'.repeat(64) });
    const gone = async (): Promise<never> => {
      throw new ModelRefused('SOURCE_UNREACHABLE', 'the file cannot be had');
    };
    const parts = { limits: LIMITS, now: () => NOW };
    expect(lastOf(await importModel(order, { ...parts, fetch: gone }))).toEqual([
      'source',
      false,
      'SOURCE_UNREACHABLE',
    ]);
    expect(lastOf(await importModel(order, { ...parts, fetch: async () => GOOD }))).toEqual([
      'sha256',
      false,
      'HASH_MISMATCH',
    ]);
  });

  it('refuses a mapping to features that there are none of, naming near ones', async () => {
    const columns = [{ feature: 'recency.day' }, { feature: 'trait.plan' }];
    await expect(take(GOOD, { columns })).rejects.toThrow(/no feature "recency.day"; there are recency.days/);
    expect(() => parseImportOrder({ ...ORDER, sha256: 'x' })).toThrow(/input.sha256/);
    expect(() => parseImportOrder({ ...ORDER, sha256: '0'.repeat(64), sample: SAMPLE.slice(0, 9) })).toThrow(
      /input.sample/,
    );
  });
});

const ONE = constant('one', [1, 1], Float32Array.of(1));
const half = constant('half', [2], BigInt64Array.of(2n ** 18n, 2n ** 18n));
/** Adds nothing to the margin, but needs the tensor `y`. */
const USE = [
  node('ReduceMax', 'y -> top'),
  node('Mul', 'top none -> zero'),
  node('Add', 'm zero -> n'),
  node('Sigmoid', 'n -> p'),
];
const NONE = constant('none', [1], Float32Array.of(0));
const squares = Array.from({ length: 400 }, (_, i) =>
  node('MatMul', `${i === 0 ? 'c' : `c${i}`} c -> c${i + 1}`),
);

describe('the process that tries a file', () => {
  it.each<[string, string, string, Uint8Array]>([
    [
      'an operator that there is none of',
      'operators',
      'OPERATOR_UNSUPPORTED',
      aModel([node('Frobnicate', 'm -> p')]),
    ],
    ['a graph of the wrong types', 'opens', 'RUNTIME_REFUSED', aModel([node('Not', 'm -> p')])],
    ['a tensor that nothing makes', 'opens', 'RUNTIME_REFUSED', aModel([node('Sigmoid', 'nothing -> p')])],
    ['three columns', 'signature', 'INPUT_MISMATCH', aModel([node('Sigmoid', 'm -> p')], [], { x: 3 })],
    [
      'three columns of which none is named',
      'signature',
      'OUTPUT_MISMATCH',
      aModel([node('Sigmoid', 'm -> p')], [], { p: 3 }),
    ],
    [
      'numbers that are none',
      'sample',
      'OUTPUT_NOT_FINITE',
      aModel([node('Neg', 'm -> k'), node('Sqrt', 'k -> p')]),
    ],
    [
      'margins that are called probabilities',
      'sample',
      'OUTPUT_OUT_OF_RANGE',
      aModel([node('Identity', 'm -> p')]),
    ],
    ['other answers', 'sample', 'SAMPLE_DIFFERS', aModel([node('Neg', 'm -> k'), node('Sigmoid', 'k -> p')])],
    [
      'noise',
      'determinism',
      'NOT_DETERMINISTIC',
      aModel(
        [
          node('Sigmoid', 'm -> s'),
          node('RandomUniformLike', 's -> r'),
          node('Mul', 'r small -> t'),
          node('Add', 's t -> p'),
        ],
        [constant('small', [1], Float32Array.of(5e-6))],
      ),
    ],
    [
      'a size that is made while it runs',
      'sample',
      'MEMORY_EXCEEDED',
      aModel(
        [node('Mul', 'half half -> large'), node('Expand', 'one large -> y'), ...USE],
        [ONE, NONE, constant('half', [2], BigInt64Array.of(2n ** 9n, 2n ** 9n))],
      ),
    ],
    [
      'a size beyond all addresses',
      'sample',
      'MEMORY_EXCEEDED',
      aModel(
        [node('Mul', 'half half -> large'), node('Expand', 'one large -> y'), ...USE],
        [ONE, NONE, half],
      ),
    ],
  ])('refuses %s (%s: %s)', async (_what, check, code, bytes) => {
    const outcome = await take(bytes);
    expect(lastOf(outcome), outcome.checks.at(-1)?.observed).toEqual([check, false, code]);
    expect(outcome.imported).toBeNull();
  });

  it('refuses rows that depend on each other', async () => {
    const mean = { ...node('ReduceMean', 's -> mean'), attribute: [{ name: 'axes', ints: [0], type: 7 }] };
    const bytes = aModel(
      [
        node('Sigmoid', 'm -> s'),
        mean,
        node('Sub', 's mean -> d'),
        node('Mul', 'd small -> e'),
        node('Sub', 's e -> p'),
      ],
      [constant('small', [1], Float32Array.of(1e-3))],
    );
    const outcome = await take(bytes, { tolerance: 1e-3 });
    expect(lastOf(outcome)).toEqual(['determinism', false, 'NOT_DETERMINISTIC']);
    expect(outcome.checks.at(-1)?.observed).toContain('alone');
  });

  it('refuses a mapping that has nothing for a customer of whom nothing is known', async () => {
    const columns = [{ feature: 'recency.days' }, { feature: 'count.order.total', fill: 0 }];
    const outcome = await take(GOOD, { columns });
    expect(lastOf(outcome)).toEqual(['range', false, 'OUTPUT_NOT_FINITE']);
    expect(outcome.checks.at(-1)?.observed).toContain('give each column a fill');
  });

  it('ends a file that takes too long', async () => {
    const wide = constant('wide', [2], BigInt64Array.of(1024n, 1024n));
    const bytes = aModel(
      [
        node('ReduceMax', 'm -> least'),
        node('Expand', 'least wide -> c'),
        ...squares,
        node('Identity', 'c400 -> y'),
        ...USE,
      ],
      [NONE, wide],
    );
    const startedAt = performance.now();
    const outcome = await take(bytes, {}, { ...LIMITS, timeMs: 4_000 });
    expect(lastOf(outcome), outcome.checks.at(-1)?.observed).toEqual(['sample', false, 'TIME_EXCEEDED']);
    expect(performance.now() - startedAt).toBeLessThan(12_000);
  });

  it('leaves no folder behind', async () => {
    await mkdtemp(join(tmpdir(), 'other-'));
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('sextant-import-'))).toEqual([]);
  });
});
