import type { MethodDefinition } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openInferenceService } from '../service-definitions.js';
import { CONTENTS, decodeInferRequest } from './infer-request.js';
import { encodeInferResponse, responseFrame } from './infer-response.js';
import { MalformedMessageError } from './wire-reader.js';

/** The codec that protobufjs makes of the .proto file. */
const reference = openInferenceService['ModelInfer'] as MethodDefinition<object, object>;

const encode = (request: object): Buffer => Buffer.from(reference.requestSerialize(request));
const int64 = fc.maxSafeInteger();
const parameter = fc.oneof(
  fc.record({ boolParam: fc.boolean() }),
  fc.record({ int64Param: int64 }),
  fc.record({ stringParam: fc.string() }),
  fc.record({ doubleParam: fc.double({ noNaN: true }) }),
);
const aRequest = fc.record({
  modelName: fc.string(),
  modelVersion: fc.string(),
  id: fc.string({ unit: 'grapheme' }),
  parameters: fc.dictionary(fc.string({ minLength: 1 }).filter(isPlainKey), parameter),
  inputs: fc.array(
    fc.record({ name: fc.string(), datatype: fc.string(), shape: fc.array(int64, { maxLength: 8 }) }),
    { maxLength: 4 },
  ),
  outputs: fc.array(fc.record({ name: fc.string() }), { maxLength: 4 }),
  rawInputContents: fc.array(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 4 },
  ),
});

/** protobufjs itself cannot carry this key. */
function isPlainKey(key: string): boolean {
  return key !== '__proto__';
}

function valuesOf(parameters: object): [string, unknown][] {
  return Object.entries(parameters).map(([key, choice]) => [key, Object.values(choice as object)[0]]);
}

describe('decodeInferRequest', () => {
  it('reads what protobufjs writes', () => {
    fc.assert(
      fc.property(aRequest, (request) => {
        const read = decodeInferRequest(encode(request));
        expect(read).toMatchObject({
          modelName: request.modelName,
          modelVersion: request.modelVersion,
          id: request.id,
          inputs: request.inputs,
          outputs: request.outputs,
        });
        expect(read.raw.map((bytes) => [...bytes])).toEqual(
          request.rawInputContents.map((bytes) => [...bytes]),
        );
        expect([...(read.parameters ?? [])].toSorted()).toEqual(valuesOf(request.parameters).toSorted());
      }),
    );
  });

  it('never reads beyond the message, whatever its bytes: it is read or refused', () => {
    const mutated = fc.tuple(
      aRequest,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(mutated, ([request, changes, length]) => {
        const message = encode(request);
        for (const [at, byte] of changes) if (message.length > 0) message[at % message.length] = byte;
        const cut = message.subarray(0, length % (message.length + 1));
        for (const bytes of [message, cut]) {
          try {
            decodeInferRequest(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['a length beyond the message', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 0x41])],
    ['a length of 2^32 - 1', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['a number without an end', Buffer.from([0x0a, 0x80])],
    ['a number of eleven bytes', Buffer.alloc(12, 0x80)],
    ['the field number 0', Buffer.from([0x02, 0x00])],
    ['a group', Buffer.from([0x43, 0x44])],
    ['a name that is no text', Buffer.from([0x08, 0x01])],
    ['an input cut short', Buffer.from([0x2a, 0x04, 0x0a, 0x09, 0x41, 0x41])],
    ['more inputs than a model has', Buffer.alloc(2 * 2_000, Buffer.from([0x2a, 0x00]))],
  ])('refuses %s', (_, message) => {
    expect(() => decodeInferRequest(message)).toThrow(MalformedMessageError);
  });

  it('steps over fields it does not know', () => {
    const known = encode({ modelName: 'm' });
    const unknown = Buffer.from([
      0x98, 0x06, 0x01, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xad, 0x06, 1, 2, 3, 4,
    ]);
    expect(decodeInferRequest(Buffer.concat([unknown, known])).modelName).toBe('m');
  });

  it('takes typed numbers packed, one by one and mixed', () => {
    const packed = encode({
      inputs: [{ name: 'x', contents: { int64Contents: [1, -2], fp32Contents: [0.5, -1.5] } }],
    });
    // int64_contents = -3, unpacked, inside contents of a second piece of the same input
    const contents = Buffer.from([0x18, 0xfd, ...Array<number>(8).fill(0xff), 0x01]);
    const input = Buffer.concat([Buffer.from([0x2a, contents.length]), contents]);
    const unpacked = Buffer.concat([Buffer.from([0x2a, input.length]), input]);
    const first = decodeInferRequest(packed).inputs[0]?.contents;
    const numbers: number[] = [];
    first?.eachVarint(CONTENTS.int64, (reader) => numbers.push(reader.int64()));
    decodeInferRequest(unpacked).inputs[0]?.contents?.eachVarint(CONTENTS.int64, (reader) =>
      numbers.push(reader.int64()),
    );
    expect(numbers).toEqual([1, -2, -3]);
    expect(first?.fixedBytes(CONTENTS.fp32)).toEqual(Buffer.from(Float32Array.of(0.5, -1.5).buffer));
    expect(first?.otherThan(CONTENTS.int64)).toBe(CONTENTS.fp32);
  });
});

describe('encodeInferResponse', () => {
  it('writes what protobufjs reads', () => {
    const size = fc.nat({ max: 2 ** 40 });
    const anOutput = fc.record({
      name: fc.string(),
      datatype: fc.string(),
      shape: fc.array(size, { maxLength: 5 }),
      bytes: fc.uint8Array({ maxLength: 500 }),
    });
    const answer = fc.record({
      model: fc.string(),
      version: fc.string(),
      id: fc.string({ unit: 'grapheme' }),
      outputs: fc.array(anOutput, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(answer, ({ model, version, id, outputs }) => {
        const frame = responseFrame(model, version, outputs);
        const message = encodeInferResponse(
          frame,
          id,
          outputs.map(({ shape, bytes }, output) => ({ output, shape, bytes })),
        );
        expect(reference.responseDeserialize(message)).toMatchObject({
          modelName: model,
          modelVersion: version,
          id,
          outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
          rawOutputContents: outputs.map(({ bytes }) => Buffer.from(bytes)),
        });
      }),
    );
  });
});
