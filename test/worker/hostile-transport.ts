import { gzipSync } from 'node:zlib';
import { STATUS } from './grpc-caller.js';
import type { HostileCall } from './hostile-call.js';
import { encodeInfer, grpcFrame } from './infer-wire.js';
import { sumInput } from './worker-models.js';

const VALID = { model: 'quick.recommend', inputs: [sumInput(2, 1)] };

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
