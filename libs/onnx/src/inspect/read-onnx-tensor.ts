import { LIMITS } from './limits.js';
import type { OnnxTensor } from './onnx-file.js';
import { BYTES, ProtoReader, type Span } from './proto-reader.js';

const INT32 = 6;
const INT64 = 7;
/** A shape has no more dimensions than this. */
const KEPT_INTS = LIMITS.rank;

/** @param reader  stands on the field that holds the tensor */
export function readTensor(reader: ProtoReader): OnnxTensor {
  const inner = reader.message();
  const tensor: OnnxTensor = {
    field: reader.wholeField(),
    name: '',
    dims: [],
    elementType: 0,
    raw: null,
    elements: 0,
    ints: [],
    external: null,
  };
  while (inner.next()) readField(tensor, inner);
  if (tensor.name.length > LIMITS.name) throw reader.broken('the name of a tensor is too long');
  if (tensor.raw) tensor.ints = rawInts(reader.bytes, tensor);
  return tensor;
}

function readField(tensor: OnnxTensor, inner: ProtoReader): void {
  if (inner.field === 1) readDims(tensor, inner);
  else if (inner.field === 2) tensor.elementType = inner.varint();
  else if (inner.field === 8) tensor.name = inner.text();
  else if (inner.field === 9) tensor.raw = inner.span();
  else if (inner.field === 4) tensor.elements += elementsOf(inner, 4);
  else if (inner.field === 10) tensor.elements += elementsOf(inner, 8);
  else if (inner.field === 6) {
    inner.skip();
    tensor.elements += 1;
  } else if (inner.field === 5 || inner.field === 7 || inner.field === 11) countVarints(tensor, inner);
  else if (inner.field === 13) readExternal(tensor, inner.message());
  else if (inner.field === 14) {
    if (inner.varint() === 1) tensor.external ??= { location: '' };
  } else inner.skip();
}

function readDims(tensor: OnnxTensor, inner: ProtoReader): void {
  if (inner.wire === BYTES) {
    const packed = inner.message();
    while (packed.at < packed.end) tensor.dims.push(packed.signed());
  } else tensor.dims.push(inner.varint());
  if (tensor.dims.length > LIMITS.rank)
    throw inner.broken(`a tensor has more than ${LIMITS.rank} dimensions`);
}

/** Packed, or one by one. */
function elementsOf(inner: ProtoReader, bytes: number): number {
  if (inner.wire !== BYTES) {
    inner.skip();
    return 1;
  }
  const { start, end } = inner.span();
  if ((end - start) % bytes !== 0) throw inner.broken('a list of numbers is cut off');
  return (end - start) / bytes;
}

function countVarints(tensor: OnnxTensor, inner: ProtoReader): void {
  if (inner.wire !== BYTES) {
    const value = inner.varint();
    if (tensor.ints.length < KEPT_INTS) tensor.ints.push(value);
    tensor.elements += 1;
    return;
  }
  const packed = inner.message();
  while (packed.at < packed.end && tensor.ints.length < KEPT_INTS) {
    tensor.ints.push(packed.signed());
    tensor.elements += 1;
  }
  // Each number ends with a byte below 128.
  for (let at = packed.at; at < packed.end; at++) {
    if ((packed.bytes[at] ?? 0) < 0x80) tensor.elements += 1;
  }
}

function readExternal(tensor: OnnxTensor, entry: ProtoReader): void {
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.field === 1) key = entry.text();
    else if (entry.field === 2) value = entry.text();
    else entry.skip();
  }
  tensor.external ??= { location: '' };
  if (key === 'location') tensor.external.location = value;
}

function rawInts(bytes: Uint8Array, { raw, elementType }: OnnxTensor): number[] {
  if (!raw || (elementType !== INT32 && elementType !== INT64)) return [];
  return elementType === INT64 ? rawNumbers(bytes, raw, 8) : rawNumbers(bytes, raw, 4);
}

function rawNumbers(bytes: Uint8Array, { start, end }: Span, size: 4 | 8): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  const count = Math.min(KEPT_INTS, Math.floor((end - start) / size));
  return Array.from({ length: count }, (_, i) =>
    size === 8 ? Number(view.getBigInt64(i * 8, true)) : view.getInt32(i * 4, true),
  );
}
