import { STATUS } from './grpc-caller.js';
import { type HostileCall, REFUSED } from './hostile-call.js';
import { encodeInfer, grpcFrame, type RawInput } from './infer-wire.js';
import { sumInput, SUM_WIDTH } from './worker-models.js';

const MODEL = 'quick.recommend';
const VALID = { model: MODEL, inputs: [sumInput(2, 1)] };

function input(over: Partial<RawInput>): Buffer {
  return grpcFrame(encodeInfer({ model: MODEL, inputs: [{ ...sumInput(2, 1), ...over }] }));
}

/** Tensors whose description and contents do not go together. */
export function hostileTensors(): HostileCall[] {
  const shapes: (readonly [string, readonly number[]])[] = [
    ['2^40 rows', [2 ** 40, SUM_WIDTH + 1]],
    ['2^53 - 1 rows', [Number.MAX_SAFE_INTEGER, SUM_WIDTH + 1]],
    ['a negative row count', [-1, SUM_WIDTH + 1]],
    ['the smallest integer', [-(2 ** 53) + 1, SUM_WIDTH + 1]],
    ['a product that overflows 64 bits', [2 ** 40, 2 ** 40, 2 ** 40]],
    ['a product that overflows to the right size', [2 ** 32, 2 ** 32, SUM_WIDTH + 1]],
    ['no rows', [0, SUM_WIDTH + 1]],
    ['no dimension', []],
    ['another width', [2, SUM_WIDTH]],
    ['1,000 dimensions', new Array<number>(1_000).fill(1)],
    ['100,000 dimensions', new Array<number>(100_000).fill(1)],
  ];
  const datatypes = [
    '',
    'FP16',
    'FP64',
    'INT64',
    'BOOL',
    'BYTES',
    'fp32',
    'FP32\0',
    '__proto__',
    'constructor',
    'x'.repeat(100_000),
  ];
  const lengths = [0, 1, 39, 41, 1_000_000];
  const names = [
    '',
    '__proto__',
    'constructor',
    'toString',
    '../../etc/passwd',
    '\0',
    '\u202e',
    'x'.repeat(1_000_000),
  ];
  const lying = Buffer.from([0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4]);
  return [
    ...shapes.map(([name, shape]) => ({
      name: `shape: ${name}`,
      frame: input({ shape }),
      expected: REFUSED,
    })),
    ...datatypes.map((datatype) => ({
      name: `datatype ${datatype.slice(0, 20)}`,
      frame: input({ datatype }),
      expected: REFUSED,
    })),
    ...lengths.map((length) => ({
      name: `${length} bytes for 40`,
      frame: input({ bytes: new Uint8Array(length) }),
      expected: REFUSED,
    })),
    ...names.map((name) => ({
      name: `input name ${name.slice(0, 20)}`,
      frame: input({ name }),
      expected: REFUSED,
    })),
    ...names.map((model) => ({
      name: `model name ${model.slice(0, 20)}`,
      frame: grpcFrame(encodeInfer({ ...VALID, model })),
      expected: [STATUS.NOT_FOUND, STATUS.INVALID_ARGUMENT],
    })),
    ...['0', '-1', '1e9', '1 ', '99999999999999999999', '__proto__'].map((version) => ({
      name: `version ${version}`,
      frame: grpcFrame(encodeInfer({ ...VALID, version })),
      expected: [STATUS.NOT_FOUND, STATUS.INVALID_ARGUMENT],
    })),
    { name: 'BYTES whose lengths lie', frame: input({ datatype: 'BYTES', bytes: lying }), expected: REFUSED },
    { name: 'no tensor', frame: grpcFrame(encodeInfer({ model: MODEL, inputs: [] })), expected: REFUSED },
    {
      name: 'the same tensor twice',
      frame: grpcFrame(encodeInfer({ model: MODEL, inputs: [sumInput(2, 1), sumInput(2, 1)] })),
      expected: REFUSED,
    },
    {
      name: '2,000 tensors',
      frame: grpcFrame(
        encodeInfer({
          model: MODEL,
          inputs: Array.from({ length: 2_000 }, (_, i) => ({ ...sumInput(1, 1), name: `n${i}` })),
        }),
      ),
      expected: REFUSED,
    },
    {
      name: 'more rows than a request may have',
      frame: grpcFrame(encodeInfer({ model: MODEL, inputs: [sumInput(10_000, 1)] })),
      expected: REFUSED,
    },
    ...[Number.NaN, Infinity, -Infinity, -0, 1e-45].map((value) => ({
      name: `rows of ${value}`,
      frame: input({ bytes: new Uint8Array(new Float32Array(2 * (SUM_WIDTH + 1)).fill(value).buffer) }),
      expected: [STATUS.OK],
    })),
  ];
}
