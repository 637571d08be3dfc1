import protobuf from 'protobufjs';

/** One tensor of a request, as raw little-endian bytes. */
export interface RawInput {
  name: string;
  datatype: string;
  shape: readonly number[];
  bytes: Uint8Array;
}

export interface InferQuestion {
  model: string;
  version?: string;
  id?: string;
  inputs: readonly RawInput[];
}

export interface InferReply {
  model: string;
  version: string;
  id: string;
  outputs: { name: string; datatype: string; shape: number[]; bytes: Buffer }[];
}

/** Wire types of protobuf. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, endGroup: 4, fixed32: 5 } as const;

export const tag = (field: number, wireType: number): number => (field << 3) | wireType;

/**
 * `inference.ModelInferRequest`, written by hand so that the worker's own codec is compared with another one.
 *
 * @param areTyped  contents go in fp32_contents (float32 inputs only) instead of raw_input_contents
 */
export function encodeInfer(
  { model, version = '', id = '', inputs }: InferQuestion,
  { areTyped = false } = {},
): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, WIRE.bytes)).string(model);
  if (version) writer.uint32(tag(2, WIRE.bytes)).string(version);
  if (id) writer.uint32(tag(3, WIRE.bytes)).string(id);
  for (const { name, datatype, shape, bytes } of inputs) {
    writer.uint32(tag(5, WIRE.bytes)).fork();
    writer.uint32(tag(1, WIRE.bytes)).string(name).uint32(tag(2, WIRE.bytes)).string(datatype);
    writer.uint32(tag(3, WIRE.bytes)).fork();
    for (const size of shape) writer.int64(size);
    writer.ldelim();
    if (areTyped) {
      writer.uint32(tag(5, WIRE.bytes)).fork().uint32(tag(6, WIRE.bytes)).bytes(bytes).ldelim();
    }
    writer.ldelim();
  }
  if (!areTyped) for (const { bytes } of inputs) writer.uint32(tag(7, WIRE.bytes)).bytes(bytes);
  return Buffer.from(writer.finish());
}

/** `inference.ModelInferResponse` with raw contents. */
export function decodeInfer(body: Uint8Array): InferReply {
  const reader = protobuf.Reader.create(body);
  const reply: InferReply = { model: '', version: '', id: '', outputs: [] };
  const raw: Buffer[] = [];
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (key === tag(1, WIRE.bytes)) reply.model = reader.string();
    else if (key === tag(2, WIRE.bytes)) reply.version = reader.string();
    else if (key === tag(3, WIRE.bytes)) reply.id = reader.string();
    else if (key === tag(5, WIRE.bytes)) reply.outputs.push(decodeOutput(reader, reader.uint32()));
    else if (key === tag(6, WIRE.bytes)) raw.push(Buffer.from(reader.bytes()));
    else reader.skipType(key & 7);
  }
  reply.outputs.forEach((output, i) => (output.bytes = raw[i] ?? Buffer.alloc(0)));
  return reply;
}

function decodeOutput(reader: protobuf.Reader, length: number): InferReply['outputs'][number] {
  const end = reader.pos + length;
  const output = { name: '', datatype: '', shape: [] as number[], bytes: Buffer.alloc(0) };
  while (reader.pos < end) {
    const key = reader.uint32();
    if (key === tag(1, WIRE.bytes)) output.name = reader.string();
    else if (key === tag(2, WIRE.bytes)) output.datatype = reader.string();
    else if (key === tag(3, WIRE.bytes)) {
      const sizesEnd = reader.uint32() + reader.pos;
      while (reader.pos < sizesEnd) output.shape.push(Number(reader.int64()));
    } else if (key === tag(3, WIRE.varint)) output.shape.push(Number(reader.int64()));
    else reader.skipType(key & 7);
  }
  return output;
}

/** The five bytes before a gRPC message and the message. */
export function grpcFrame(message: Uint8Array, compressed = 0): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.byteLength);
  frame[0] = compressed;
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  return frame;
}

/** A float32 input of one model. */
export function float32Input(name: string, shape: readonly number[], values: Float32Array): RawInput {
  return {
    name,
    datatype: 'FP32',
    shape,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** The values of a float32 output; the bytes may lie anywhere. */
export function float32Values(bytes: Buffer): Float32Array {
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  );
}

export function float64Values(bytes: Buffer): Float64Array {
  return new Float64Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  );
}
