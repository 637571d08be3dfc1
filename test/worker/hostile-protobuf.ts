import protobuf from 'protobufjs';
import { STATUS } from './grpc-caller.js';
import { type HostileCall, REFUSED, UNREADABLE } from './hostile-call.js';
import { encodeInfer, grpcFrame, tag, WIRE } from './infer-wire.js';
import { sumInput } from './worker-models.js';

const VALID = { model: 'quick.recommend', inputs: [sumInput(2, 1)] };

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
