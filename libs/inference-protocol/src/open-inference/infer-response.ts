/** A model's part of `inference.ModelInferResponse` that is the same in every answer. */
export interface ResponseFrame {
  /** fields model_name and model_version */
  head: Buffer;
  /** name and datatype of each output, as fields of InferOutputTensor */
  outputs: Buffer[];
}

export interface ResponseOutput {
  /** position in the frame */
  output: number;
  shape: readonly number[];
  /** little-endian values, or length-prefixed texts */
  bytes: Uint8Array;
}

export function responseFrame(
  model: string,
  version: string,
  outputs: readonly { name: string; datatype: string }[],
): ResponseFrame {
  return {
    head: Buffer.concat([textField(1, model), textField(2, version)]),
    outputs: outputs.map(({ name, datatype }) => Buffer.concat([textField(1, name), textField(2, datatype)])),
  };
}

/** Encodes `inference.ModelInferResponse` with raw contents. */
export function encodeInferResponse(
  frame: ResponseFrame,
  id: string,
  outputs: readonly ResponseOutput[],
): Buffer {
  const idBytes = id === '' ? 0 : Buffer.byteLength(id);
  let size = frame.head.length + (id === '' ? 0 : lengthField(idBytes));
  for (const { output, shape, bytes } of outputs) {
    size += lengthField(tensorSize(frame, output, shape)) + lengthField(bytes.length);
  }
  const message = Buffer.allocUnsafe(size);
  message.set(frame.head, 0);
  let at = frame.head.length;
  if (id !== '') {
    at = writeVarint(message, writeVarint(message, at, 0o32), idBytes);
    at += message.write(id, at);
  }
  for (const { output, shape } of outputs) {
    at = writeVarint(message, writeVarint(message, at, 0o52), tensorSize(frame, output, shape));
    const head = frame.outputs[output];
    if (head) message.set(head, at);
    at = writeShape(message, at + (head?.length ?? 0), shape);
  }
  for (const { bytes } of outputs) {
    at = writeVarint(message, writeVarint(message, at, 0o62), bytes.length);
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}

function tensorSize({ outputs }: ResponseFrame, output: number, shape: readonly number[]): number {
  return (outputs[output]?.length ?? 0) + (shape.length === 0 ? 0 : lengthField(packedSize(shape)));
}

function writeShape(message: Buffer, start: number, shape: readonly number[]): number {
  if (shape.length === 0) return start;
  let at = writeVarint(message, writeVarint(message, start, 0o32), packedSize(shape));
  for (const size of shape) at = writeVarint(message, at, size);
  return at;
}

function packedSize(shape: readonly number[]): number {
  let size = 0;
  for (const each of shape) size += varintSize(each);
  return size;
}

function textField(field: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return bytes;
  const head = Buffer.allocUnsafe(1 + varintSize(bytes.length));
  writeVarint(head, writeVarint(head, 0, 8 * field + 2), bytes.length);
  return Buffer.concat([head, bytes]);
}

/** Bytes of a length-delimited field whose tag takes one byte. */
function lengthField(length: number): number {
  return 1 + varintSize(length) + length;
}

/** The bytes of a non-negative integer below 2^53. */
export function varint(value: number): Uint8Array {
  const bytes = Buffer.alloc(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** @param value  a non-negative integer below 2^53 */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function writeVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}
