import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { STATUS } from './grpc-caller.js';
import { encodeInfer, grpcFrame, type RawInput, tag, WIRE } from './infer-wire.js';
import { sumInput, SUM_WIDTH } from './worker-models.js';

/** A request that no honest client sends. */
export interface HostileCall {
  name: string;
  /** the body as it goes on the wire, length prefix included */
  frame: Uint8Array;
  headers?: Record<string, string>;
  path?: string;
  /** statuses that are right; any but UNKNOWN when absent */
  expected?: readonly number[];
}

const MODEL = 'quick.recommend';
const REFUSED = [STATUS.INVALID_ARGUMENT] as const;
const UNREADABLE = [STATUS.INVALID_ARGUMENT, STATUS.INTERNAL] as const;
const VALID = { model: MODEL, inputs: [sumInput(2, 1)] };

function input(over: Partial<RawInput>): Buffer {
  return grpcFrame(encodeInfer({ model: MODEL, inputs: [{ ...sumInput(2, 1), ...over }] }));
}

/** Seeded mutations of a message: cut, flipped, doubled, overwritten and swapped bytes. */
export function mutations(message: Buffer, count: number, draw: () => number): HostileCall[] {
  const pick = (below: number): number => Math.floor(draw() * below);
  const kinds: ((bytes: Buffer) => Uint8Array)[] = [
    (bytes) => bytes.subarray(0, pick(bytes.length)),
    (bytes) => {
      for (let i = 0; i <= pick(8); i += 1) {
        const at = pick(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
      }
      return bytes;
    },
    (bytes) => {
      const [from, to] = [pick(bytes.length), pick(bytes.length)].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    },
    (bytes) => {
      const at = pick(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(6))]);
    },
    (bytes) => bytes.fill(0xff, pick(bytes.length), undefined),
    (bytes) => {
      const at = pick(bytes.length);
      const noise = Buffer.from(Array.from({ length: 1 + pick(12) }, () => pick(256)));
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    },
    (bytes) => Buffer.from(bytes.map(() => pick(256))),
  ];
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % kinds.length] ?? ((bytes: Buffer) => bytes);
    return { name: `mutation ${i}`, frame: grpcFrame(kind(Buffer.from(message))) };
  });
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

/** Messages that no encoder writes. */
export function hostileProtobuf(): HostileCall[] {
  const valid = encodeInfer(VALID);
  const write = (fill: (writer: protobuf.Writer) => void): Buffer => {
    const writer = protobuf.Writer.create();
    fill(writer);
    return grpcFrame(writer.finish());
  };
  const append = (...bytes: number[]): Buffer => grpcFrame(Buffer.concat([valid, Buffer.from(bytes)]));
  const nested = (field: number, depth: number): Buffer => {
    let inner = Buffer.alloc(0);
    for (let i = 0; i < depth; i += 1) {
      const writer = protobuf.Writer.create().uint32(tag(field, WIRE.bytes)).bytes(inner);
      inner = Buffer.from(writer.finish());
    }
    return grpcFrame(inner);
  };
  const wrongTypes = [1, 2, 3, 4, 5, 6, 7].flatMap((field) =>
    [WIRE.varint, WIRE.fixed64, WIRE.group, WIRE.endGroup, WIRE.fixed32, 6, 7].map((wireType) => ({
      name: `field ${field} with wire type ${wireType}`,
      frame: append(tag(field, wireType), 1, 1, 1, 1, 1, 1, 1, 1),
    })),
  );
  return [
    ...wrongTypes,
    ...[
      [0xff, 0xff, 0xff, 0xff, 0x07],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    ].flatMap((length) =>
      [1, 5, 7, 99].map((field) => ({
        name: `field ${field} of length ${Buffer.from(length).toString('hex')}`,
        frame: grpcFrame(
          Buffer.concat([
            valid,
            Buffer.from(protobuf.Writer.create().uint32(tag(field, WIRE.bytes)).finish()),
            Buffer.from(length),
          ]),
        ),
        expected: UNREADABLE,
      })),
    ),
    { name: 'field number 0', frame: append(0x02, 0x00), expected: [...UNREADABLE, STATUS.OK] },
    {
      name: 'a varint without end',
      frame: append(...new Array<number>(64).fill(0xff)),
      expected: UNREADABLE,
    },
    {
      name: '10,000 unknown fields',
      frame: grpcFrame(
        Buffer.concat([
          valid,
          Buffer.from(protobuf.Writer.create().uint32(tag(99, WIRE.varint)).uint32(1).finish()),
          ...new Array<Buffer>(10_000).fill(Buffer.from([0x98, 0x06, 0x01])),
        ]),
      ),
      expected: [STATUS.OK],
    },
    {
      name: 'groups 100,000 deep',
      frame: grpcFrame(
        Buffer.concat([
          valid,
          Buffer.alloc(100_000, Buffer.from(protobuf.Writer.create().uint32(tag(99, WIRE.group)).finish())),
        ]),
      ),
      expected: UNREADABLE,
    },
    {
      name: 'groups of a known field 1,000,000 deep',
      frame: append(...new Array<number>(100_000).fill(tag(5, WIRE.group))),
      expected: UNREADABLE,
    },
    { name: 'messages nested 5,000 deep', frame: nested(5, 5_000) },
    { name: 'parameters nested 5,000 deep', frame: nested(4, 5_000) },
    {
      name: 'text that is no UTF-8',
      frame: write((writer) =>
        writer.uint32(tag(1, WIRE.bytes)).bytes(Buffer.from([0xff, 0xfe, 0xc0, 0x80])),
      ),
    },
    {
      name: 'a million empty raw contents',
      frame: grpcFrame(Buffer.concat([valid, Buffer.alloc(2_000_000, Buffer.from([tag(7, WIRE.bytes), 0]))])),
      expected: REFUSED,
    },
    {
      name: 'a million empty inputs',
      frame: grpcFrame(Buffer.concat([valid, Buffer.alloc(2_000_000, Buffer.from([tag(5, WIRE.bytes), 0]))])),
      expected: REFUSED,
    },
    {
      name: 'a million requested outputs',
      frame: grpcFrame(Buffer.concat([valid, Buffer.alloc(2_000_000, Buffer.from([tag(6, WIRE.bytes), 0]))])),
      expected: REFUSED,
    },
    {
      name: '100,000 parameters named __proto__',
      frame: grpcFrame(
        Buffer.concat([
          valid,
          Buffer.alloc(
            1_300_000,
            Buffer.from([tag(4, WIRE.bytes), 11, 0x0a, 9, ...Buffer.from('__proto__')]),
          ),
        ]),
      ),
      expected: [STATUS.OK, ...UNREADABLE],
    },
    {
      name: 'random bytes',
      frame: grpcFrame(Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919) % 256))),
    },
    {
      name: 'an empty message',
      frame: grpcFrame(Buffer.alloc(0)),
      expected: [STATUS.NOT_FOUND, STATUS.INVALID_ARGUMENT],
    },
  ];
}

/** What stands before the message, and headers. */
export function hostileTransport(): HostileCall[] {
  const valid = encodeInfer(VALID);
  const framed = grpcFrame(valid);
  const prefix = (flag: number, length: number, body: Uint8Array): Buffer => {
    const head = Buffer.alloc(5);
    head[0] = flag;
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, body]);
  };
  const gzip = { 'grpc-encoding': 'gzip' };
  const bomb = gzipSync(Buffer.alloc(1024 ** 3));
  return [
    { name: 'gzip, honest', frame: grpcFrame(gzipSync(valid), 1), headers: gzip, expected: [STATUS.OK] },
    {
      name: 'a gzip bomb of 1 GiB',
      frame: grpcFrame(bomb, 1),
      headers: gzip,
      expected: [STATUS.RESOURCE_EXHAUSTED],
    },
    { name: 'gzip of nothing', frame: grpcFrame(Buffer.alloc(0), 1), headers: gzip },
    { name: 'gzip that is none', frame: grpcFrame(valid, 1), headers: gzip },
    { name: 'gzip cut off', frame: grpcFrame(gzipSync(valid).subarray(0, 30), 1), headers: gzip },
    { name: 'compressed without saying how', frame: grpcFrame(gzipSync(valid), 1) },
    {
      name: 'an unknown compression',
      frame: grpcFrame(valid, 1),
      headers: { 'grpc-encoding': 'br' },
      expected: [STATUS.UNIMPLEMENTED],
    },
    { name: 'compression flag 255', frame: grpcFrame(valid, 255) },
    { name: 'a length of 4 GiB', frame: prefix(0, 0xffffffff, valid), expected: [STATUS.RESOURCE_EXHAUSTED] },
    {
      name: 'a length above the limit',
      frame: prefix(0, 17 * 1024 * 1024, valid),
      expected: [STATUS.RESOURCE_EXHAUSTED],
    },
    { name: 'a length above the body', frame: prefix(0, valid.length + 10, valid) },
    { name: 'a length below the body', frame: prefix(0, valid.length - 10, valid) },
    { name: 'half a prefix', frame: framed.subarray(0, 3) },
    { name: 'no message', frame: Buffer.alloc(0) },
    { name: 'two messages', frame: Buffer.concat([framed, framed]) },
    { name: '1,000 messages', frame: Buffer.concat(new Array<Buffer>(1_000).fill(framed)) },
    ...['abc', '-1S', '99999999999H', '1', 'S', '1X', '', '1.5S', '000000000001n'].map((value) => ({
      name: `grpc-timeout "${value}"`,
      frame: framed,
      headers: { 'grpc-timeout': value },
    })),
    ...['application/json', 'text/plain', 'application/grpc-web', ''].map((type) => ({
      name: `content-type "${type}"`,
      frame: framed,
      headers: { 'content-type': type },
    })),
    {
      name: 'metadata of 10 KB',
      frame: framed,
      headers: { 'x-large': 'x'.repeat(10_000) },
      expected: [STATUS.OK],
    },
    {
      name: 'metadata of 1,000 names',
      frame: framed,
      headers: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'y'])),
    },
    { name: 'binary metadata that is no base64', frame: framed, headers: { 'x-odd-bin': '\u00ff!*' } },
    ...['00-zz-zz-01', '00-00000000000000000000000000000000-0000000000000000-00', 'x'.repeat(5_000)].map(
      (traceparent) => ({
        name: `traceparent ${traceparent.slice(0, 20)}`,
        frame: framed,
        headers: { traceparent },
        expected: [STATUS.OK],
      }),
    ),
    ...['sextant-routing-key', 'sextant-priority', 'sextant-tenant'].flatMap((key) =>
      ['x'.repeat(5_000), '__proto__', '-1', '1e999', ''].map((value) => ({
        name: `${key} ${value.slice(0, 20)}`,
        frame: framed,
        headers: { [key]: value },
        expected: [STATUS.OK, STATUS.INVALID_ARGUMENT],
      })),
    ),
    ...[
      '/',
      '/inference.GRPCInferenceService/Nope',
      '/nope.Service/ModelInfer',
      '/inference.GRPCInferenceService/',
      '//',
      '/inference.GRPCInferenceService/ModelInfer/',
      '/inference.GRPCInferenceService/__proto__',
      '/inference.GRPCInferenceService/ModelStreamInfer',
    ].map((path) => ({
      name: `path ${path}`,
      path,
      frame: framed,
      expected: [STATUS.UNIMPLEMENTED],
    })),
  ];
}
