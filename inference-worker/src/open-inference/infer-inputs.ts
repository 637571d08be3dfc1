import { DomainError } from '@sextant/domain';
import type { InferInput, InferRequest } from '@sextant/inference-protocol';
import {
  arrayOver,
  bytesPerElement,
  bytesPerRow,
  elementsOf,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from '../tensors/tensor.js';
import { shown, shownShape } from '../transport/shown.js';
import { BadTextsError, readTexts, textOf } from './texts.js';
import { bytesOfContents, CONTENTS_OF, OutOfRangeError } from './typed-contents.js';

/** Rows of a request for a model that is batched by rows: the bytes of each input, in the order of the model's. */
export interface RowInputs {
  rows: number;
  bytes: Uint8Array[];
}

/** A refusal whose path and message name the field of the request that does not fit. */
function mismatch(path: string, message: string): DomainError {
  return new DomainError('TENSOR_MISMATCH', `${path}: ${message}`, { path });
}

/**
 * The tensors of a request for a model that is batched by rows.
 *
 * @param checkRows  refuses a row count before anything is allocated for it
 * @throws DomainError TENSOR_MISMATCH naming the field that does not fit
 */
export function readRowInputs(
  request: InferRequest,
  specs: readonly TensorSpec[],
  checkRows: (rows: number) => void,
): RowInputs {
  assertRawCount(request);
  let rows = 0;
  const bytes: Uint8Array[] = [];
  for (let i = 0; i < specs.length; i++) {
    const spec = specs[i] as TensorSpec;
    const position = positionOf(request.inputs, specs, i);
    const input = request.inputs[position] as InferInput;
    const count = rowsOf(input, spec, position);
    checkRows(count);
    if (rows !== 0 && count !== rows) {
      throw mismatch(`inputs[${position}].shape`, `inputs have ${rows} and ${count} rows`);
    }
    rows = count;
    bytes.push(
      bytesOf(request, position, { spec, bytes: count * bytesPerRow(spec), elements: count * spec.width }),
    );
  }
  assertNoOther(request.inputs, specs);
  return { rows, bytes };
}

/**
 * The tensors of a request for a model that is not cut into rows.
 *
 * @throws DomainError TENSOR_MISMATCH naming the field that does not fit
 */
export function readWholeInputs(request: InferRequest, specs: readonly TensorSpec[]): Tensor[] {
  assertRawCount(request);
  const tensors = specs.map((spec, i): Tensor => {
    const position = positionOf(request.inputs, specs, i);
    const input = request.inputs[position] as InferInput;
    assertDims(input, spec, position);
    return { data: dataOf(request, position, spec), dims: input.shape };
  });
  assertNoOther(request.inputs, specs);
  return tensors;
}

function assertRawCount({ raw, inputs }: InferRequest): void {
  if (raw.length === 0 || raw.length === inputs.length) return;
  const message = `raw_input_contents holds ${raw.length} tensors for ${inputs.length} inputs`;
  throw mismatch('raw_input_contents', message);
}

/** Inputs mostly come in the order of the model. @throws DomainError TENSOR_MISMATCH when the input is missing or comes twice */
function positionOf(inputs: readonly InferInput[], specs: readonly TensorSpec[], likely: number): number {
  const spec = specs[likely] as TensorSpec;
  const position =
    inputs[likely]?.name === spec.name ? likely : inputs.findIndex(({ name }) => name === spec.name);
  if (position < 0)
    throw unknownInput(inputs, specs) ?? mismatch('inputs', `input "${spec.name}" is missing`);
  for (let i = position + 1; i < inputs.length; i++) {
    if (inputs[i]?.name === spec.name)
      throw mismatch(`inputs[${i}].name`, `input "${spec.name}" comes twice`);
  }
  const { datatype } = inputs[position] as InferInput;
  if (datatype !== spec.datatype) {
    const message = `input "${spec.name}" must be ${spec.datatype}, got "${shown(datatype)}"`;
    throw mismatch(`inputs[${position}].datatype`, message);
  }
  return position;
}

/** Every input of the model is there once, so whatever else came is unknown. */
function assertNoOther(inputs: readonly InferInput[], specs: readonly TensorSpec[]): void {
  const unknown = inputs.length === specs.length ? undefined : unknownInput(inputs, specs);
  if (unknown) throw unknown;
}

function unknownInput(inputs: readonly InferInput[], specs: readonly TensorSpec[]): DomainError | undefined {
  const position = inputs.findIndex(({ name }) => specs.every((spec) => spec.name !== name));
  if (position < 0) return undefined;
  const known = specs.map(({ name }) => name).join(', ');
  const message = `"${shown(inputs[position]?.name ?? '')}" is no input; the model reads ${known}`;
  return mismatch(`inputs[${position}].name`, message);
}

function rowsOf({ name, shape }: InferInput, spec: TensorSpec, position: number): number {
  const rows = shape[0] ?? 0;
  let fits = shape.length === spec.rowShape.length + 1 && rows >= 1;
  for (let i = 0; fits && i < spec.rowShape.length; i++) fits = shape[i + 1] === spec.rowShape[i];
  if (fits) return rows;
  const wanted = ['rows', ...spec.rowShape].join(', ');
  throw mismatch(
    `inputs[${position}].shape`,
    `input "${name}" must have the shape [${wanted}] with at least one row, got ${shownShape(shape)}`,
  );
}

function assertDims({ name, shape }: InferInput, spec: TensorSpec, position: number): void {
  const fits =
    shape.length === spec.shape.length &&
    shape.every((size, i) => size >= 0 && (spec.shape[i] === -1 || spec.shape[i] === size));
  if (fits && Number.isSafeInteger(elementsOf(shape))) return;
  const wanted = spec.shape.map((size) => (size === -1 ? 'any' : size)).join(', ');
  const message = `input "${name}" must have the shape [${wanted}], got ${shownShape(shape)}`;
  throw mismatch(`inputs[${position}].shape`, message);
}

interface Wanted {
  spec: TensorSpec;
  bytes: number;
  elements: number;
}

/** Little-endian bytes of a tensor of numbers, raw or typed. */
function bytesOf(request: InferRequest, position: number, wanted: Wanted): Uint8Array {
  const input = request.inputs[position] as InferInput;
  const raw = request.raw[position];
  if (raw === undefined) return typedBytes(input, position, wanted);
  assertNotTyped(input, position);
  if (raw.byteLength !== wanted.bytes) {
    const shape = shownShape(input.shape);
    const message = `input "${input.name}" ${shape} needs ${wanted.bytes} bytes, got ${raw.byteLength}`;
    throw mismatch(`raw_input_contents[${position}]`, message);
  }
  return raw;
}

function typedBytes(
  { name, contents }: InferInput,
  position: number,
  { spec: { datatype }, elements }: Wanted,
): Uint8Array {
  const path = `inputs[${position}].contents`;
  if (datatype === 'FP16' || datatype === 'BYTES') {
    throw mismatch(
      path,
      `${datatype} of input "${name}" has no typed field of numbers; use raw_input_contents`,
    );
  }
  const other = contents?.otherThan(CONTENTS_OF[datatype]);
  if (other !== undefined) {
    const message = `${datatype} values of input "${name}" belong into field ${CONTENTS_OF[datatype]}, field ${other} has values too`;
    throw mismatch(path, message);
  }
  try {
    const read = contents && bytesOfContents(contents, datatype, elements);
    if (read?.count === elements) return read.bytes;
    const got = read?.count ?? 0;
    const message = `input "${name}" needs ${elements} ${datatype} values in its contents or in raw_input_contents, got ${got}`;
    throw mismatch(path, message);
  } catch (error) {
    if (error instanceof OutOfRangeError)
      throw mismatch(path, `${datatype} of input "${name}": ${error.message}`);
    throw error;
  }
}

function dataOf(request: InferRequest, position: number, spec: TensorSpec): TensorData {
  const { shape } = request.inputs[position] as InferInput;
  const elements = elementsOf(shape);
  if (spec.datatype === 'BYTES') return textsOf(request, position, elements);
  const wanted = { spec, bytes: elements * bytesPerElement(spec.datatype), elements };
  const bytes = bytesOf(request, position, wanted);
  const copy = new ArrayBuffer(wanted.bytes);
  new Uint8Array(copy).set(bytes);
  return arrayOver(spec.datatype, copy, elements);
}

function textsOf(request: InferRequest, position: number, elements: number): string[] {
  const input = request.inputs[position] as InferInput;
  const raw = request.raw[position];
  try {
    if (raw !== undefined) {
      assertNotTyped(input, position);
      return readTexts(raw, elements);
    }
    const typed = input.contents?.elements() ?? [];
    if (typed.length === elements) return typed.map(textOf);
    throw new BadTextsError(`${elements} elements are wanted, ${typed.length} came`);
  } catch (error) {
    if (!(error instanceof BadTextsError)) throw error;
    const path = raw === undefined ? `inputs[${position}].contents` : `raw_input_contents[${position}]`;
    throw mismatch(path, `BYTES of input "${input.name}": ${error.message}`);
  }
}

function assertNotTyped({ name, contents }: InferInput, position: number): void {
  if (contents && !contents.isEmpty) {
    throw mismatch(`inputs[${position}].contents`, `input "${name}" comes both raw and typed`);
  }
}
