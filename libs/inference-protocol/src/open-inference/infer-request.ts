import { MalformedMessageError, WIRE, WireReader } from './wire-reader.js';

/** Elements of a repeated field of messages, and pieces of one tensor's contents. */
const MOST_ITEMS = 1_024;
const MOST_PIECES = 262_144;

/** Typed fields of InferTensorContents by their number. */
export const CONTENTS = {
  bool: 1,
  int: 2,
  int64: 3,
  uint: 4,
  uint64: 5,
  fp32: 6,
  fp64: 7,
  bytes: 8,
} as const;
export type ContentsField = (typeof CONTENTS)[keyof typeof CONTENTS];

/** One piece of a repeated field: packed values, or a single one. */
interface Piece {
  field: number;
  /** wire type of a value that came unpacked; BYTES for packed numbers and for each element of `bytes` */
  type: number;
  bytes: Buffer;
}

/** Values of a tensor that came typed, still as they were on the wire. */
export class TypedContents {
  private readonly pieces: Piece[] = [];

  /** The first field that holds values and is not `wanted`; undefined where there is none. */
  otherThan(wanted: ContentsField): number | undefined {
    return this.pieces.find(({ field }) => field !== wanted)?.field;
  }

  get isEmpty(): boolean {
    return this.pieces.length === 0;
  }

  /** @throws MalformedMessageError when there are so many that their bookkeeping would take more than the values */
  add(piece: Piece): void {
    if (this.pieces.push(piece) > MOST_PIECES)
      throw new MalformedMessageError(`a tensor comes in more than ${MOST_PIECES} pieces; pack its values`);
  }

  /** Little-endian bytes of the values where the wire has them as such (fp32, fp64). */
  fixedBytes(field: ContentsField): Buffer {
    const bytes = this.pieces.filter((piece) => piece.field === field).map((piece) => piece.bytes);
    return bytes.length === 1 ? (bytes[0] ?? Buffer.alloc(0)) : Buffer.concat(bytes);
  }

  /** The elements of a `bytes` field. */
  elements(): Buffer[] {
    return this.pieces.filter(({ field }) => field === CONTENTS.bytes).map(({ bytes }) => bytes);
  }

  /**
   * Reads varint values one after the other.
   *
   * @param read  takes one value off the reader
   * @returns     how many there were
   * @throws MalformedMessageError
   */
  eachVarint(field: ContentsField, read: (reader: WireReader, index: number) => void): number {
    let index = 0;
    for (const piece of this.pieces) {
      if (piece.field !== field) continue;
      const reader = new WireReader(piece.bytes);
      while (!reader.isDone) read(reader, index++);
    }
    return index;
  }
}

export interface InferInput {
  name: string;
  datatype: string;
  shape: number[];
  /** null where the values come in `raw` */
  contents: TypedContents | null;
  parameters: InferParameters | null;
}

export type InferParameters = Map<string, boolean | number | string>;

/** `inference.ModelInferRequest`; bytes are views of the message. */
export interface InferRequest {
  modelName: string;
  modelVersion: string;
  id: string;
  parameters: InferParameters | null;
  inputs: InferInput[];
  outputs: { name: string; parameters: InferParameters | null }[];
  raw: Buffer[];
}

/** @throws MalformedMessageError naming what cannot be read */
export function decodeInferRequest(message: Buffer): InferRequest {
  const request: InferRequest = {
    modelName: '',
    modelVersion: '',
    id: '',
    parameters: null,
    inputs: [],
    outputs: [],
    raw: [],
  };
  const reader = new WireReader(message);
  while (!reader.isDone) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field < 1 || field > 7) {
      reader.skipField(tag);
      continue;
    }
    reader.expect(tag, WIRE.BYTES);
    if (field === 1) request.modelName = reader.text();
    else if (field === 2) request.modelVersion = reader.text();
    else if (field === 3) request.id = reader.text();
    else if (field === 4) readParameter(reader, (request.parameters ??= new Map()));
    else if (field === 5) append(request.inputs, readInput(reader), 'inputs');
    else if (field === 6) append(request.outputs, readRequestedOutput(reader), 'outputs');
    else append(request.raw, reader.view(), 'raw_input_contents');
  }
  return request;
}

function append<T>(items: T[], item: T, name: string): void {
  if (items.push(item) > MOST_ITEMS)
    throw new MalformedMessageError(`${name} holds more than ${MOST_ITEMS} items`);
}

function readInput(reader: WireReader): InferInput {
  const input: InferInput = { name: '', datatype: '', shape: [], contents: null, parameters: null };
  const outer = reader.enter();
  while (!reader.isDone) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === 3) readShape(reader, tag, input.shape);
    else if (field < 1 || field > 5) reader.skipField(tag);
    else {
      reader.expect(tag, WIRE.BYTES);
      if (field === 1) input.name = reader.text();
      else if (field === 2) input.datatype = reader.text();
      else if (field === 4) readParameter(reader, (input.parameters ??= new Map()));
      else readContents(reader, (input.contents ??= new TypedContents()));
    }
  }
  reader.leave(outer);
  return input;
}

/** Dimensions a tensor may have; ONNX models of more than eight are unheard of. */
const MOST_DIMENSIONS = 32;

function readShape(reader: WireReader, tag: number, shape: number[]): void {
  if ((tag & 7) === WIRE.VARINT) shape.push(reader.int64());
  else {
    reader.expect(tag, WIRE.BYTES);
    const outer = reader.enter();
    while (!reader.isDone && shape.length <= MOST_DIMENSIONS) shape.push(reader.int64());
    reader.leave(outer);
  }
  if (shape.length > MOST_DIMENSIONS)
    throw new MalformedMessageError(`a shape has more than ${MOST_DIMENSIONS} dimensions`);
}

function readRequestedOutput(reader: WireReader): InferRequest['outputs'][number] {
  const output: InferRequest['outputs'][number] = { name: '', parameters: null };
  const outer = reader.enter();
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0o12) output.name = reader.text();
    else if (tag === 0o22) readParameter(reader, (output.parameters ??= new Map()));
    else reader.skipField(tag);
  }
  reader.leave(outer);
  return output;
}

/** Wire type of one value of each typed field, where values come unpacked. */
const UNPACKED_TYPE = [-1, 0, 0, 0, 0, 0, WIRE.FIXED32, WIRE.FIXED64, WIRE.BYTES];

function readContents(reader: WireReader, contents: TypedContents): void {
  const outer = reader.enter();
  while (!reader.isDone) {
    const tag = reader.tag();
    const field = tag >>> 3;
    const type = tag & 7;
    if (field < 1 || field > 8) {
      reader.skipField(tag);
    } else if (type === WIRE.BYTES) {
      const bytes = reader.view();
      if (bytes.length > 0 || field === CONTENTS.bytes) contents.add({ field, type, bytes });
    } else {
      reader.expect(tag, UNPACKED_TYPE[field] ?? -1);
      const start = reader.at;
      reader.skipField(tag);
      contents.add({ field, type, bytes: reader.bytes.subarray(start, reader.at) });
    }
  }
  reader.leave(outer);
}

/** One entry of a map<string, InferParameter>. */
function readParameter(reader: WireReader, parameters: InferParameters): void {
  let name = '';
  let value: boolean | number | string | undefined;
  const outer = reader.enter();
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0o12) name = reader.text();
    else if (tag === 0o22) value = readChoice(reader);
    else reader.skipField(tag);
  }
  reader.leave(outer);
  if (value !== undefined) parameters.set(name, value);
  if (parameters.size > MOST_ITEMS) throw new MalformedMessageError(`more than ${MOST_ITEMS} parameters`);
}

function readChoice(reader: WireReader): boolean | number | string | undefined {
  let value: boolean | number | string | undefined;
  const outer = reader.enter();
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0o10) value = reader.uint32() !== 0;
    else if (tag === 0o20) value = reader.int64();
    else if (tag === 0o32) value = reader.text();
    else if (tag === 0o41) value = reader.double();
    else if (tag === 0o50) value = reader.uint64();
    else reader.skipField(tag);
  }
  reader.leave(outer);
  return value;
}
