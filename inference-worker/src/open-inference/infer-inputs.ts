import { DomainError } from '@sextant/domain';
import type { RowSource } from '../scheduling/batch-lane.js';
import {
  allocateTensor,
  bytesPerRow,
  type Datatype,
  type TensorArray,
  type TensorSpec,
} from '../tensors/tensor.js';
import type { InferInput, ModelInferRequest, TensorContents } from './infer-messages.js';

/** Which typed field carries a datatype. */
const CONTENTS_FIELD = {
  BYTES: 'bytesContents',
  FP16: 'bytesContents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  INT8: 'intContents',
  INT16: 'intContents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  INT64: 'int64Contents',
  INT32: 'intContents',
  BOOL: 'boolContents',
} as const satisfies Record<Datatype, keyof TensorContents>;

/**
 * Checks the tensors of a request against the model and makes them rows for a batch.
 *
 * @param checkRows  refuses a row count before anything is allocated for it
 * @throws DomainError TENSOR_MISMATCH whose path and message name the field that does not fit
 */
export function readInputs(
  request: ModelInferRequest,
  specs: readonly TensorSpec[],
  checkRows: (rows: number) => void,
): RowSource {
  assertNames(request.inputs, specs);
  const isRaw = request.rawInputContents.length > 0;
  if (isRaw && request.rawInputContents.length !== request.inputs.length) {
    const message = `raw_input_contents holds ${request.rawInputContents.length} tensors for ${request.inputs.length} inputs`;
    throw mismatch('raw_input_contents', message);
  }
  let rows = 0;
  const bytes = specs.map((spec) => {
    const position = request.inputs.findIndex((input) => input.name === spec.name);
    const input = request.inputs[position];
    if (!input) throw mismatch('inputs', `input "${spec.name}" is missing`);
    const count = rowsOf(input, spec, `inputs[${position}]`);
    checkRows(count);
    if (rows !== 0 && count !== rows)
      throw mismatch(`inputs[${position}].shape`, `inputs have ${rows} and ${count} rows`);
    rows = count;
    const expected = { spec, rows, path: `inputs[${position}]` };
    return isRaw ? rawBytes(request, position, expected) : typedBytes(input, expected);
  });
  const widths = specs.map(bytesPerRow);
  return {
    rows,
    bytesPerRow: widths.reduce((sum, width) => sum + width, 0),
    write: (inputs, { from, count, at }) => {
      inputs.forEach((tensor, i) => {
        const width = widths[i] ?? 0;
        const source = bytes[i]?.subarray(from * width, (from + count) * width);
        if (source) new Uint8Array(tensor.buffer).set(source, at * width);
      });
    },
  };
}

function assertNames(inputs: readonly InferInput[], specs: readonly TensorSpec[]): void {
  const known = specs.map((spec) => spec.name).join(', ');
  inputs.forEach(({ name }, i) => {
    if (!specs.some((spec) => spec.name === name))
      throw mismatch(`inputs[${i}].name`, `"${name}" is no input; the model reads ${known}`);
    if (inputs.findIndex((input) => input.name === name) !== i)
      throw mismatch(`inputs[${i}].name`, `input "${name}" comes twice`);
  });
}

function rowsOf({ name, datatype, shape }: InferInput, spec: TensorSpec, path: string): number {
  if (datatype !== spec.datatype) {
    throw mismatch(`${path}.datatype`, `input "${name}" must be ${spec.datatype}, got "${datatype}"`);
  }
  const [rows = 0, ...rowShape] = shape;
  const fits =
    rowShape.length === spec.rowShape.length && rowShape.every((size, i) => size === spec.rowShape[i]);
  if (!fits || rows < 1) {
    const wanted = ['rows', ...spec.rowShape].join(', ');
    throw mismatch(
      `${path}.shape`,
      `input "${name}" must have the shape [${wanted}] with at least one row, got [${shape.join(', ')}]`,
    );
  }
  return rows;
}

interface Expected {
  spec: TensorSpec;
  rows: number;
  path: string;
}

function rawBytes(request: ModelInferRequest, position: number, { spec, rows, path }: Expected): Uint8Array {
  const raw = request.rawInputContents[position] ?? Buffer.alloc(0);
  const wanted = rows * bytesPerRow(spec);
  if (hasContents(request.inputs[position]?.contents)) {
    throw mismatch(`${path}.contents`, `input "${spec.name}" comes both raw and typed`);
  }
  if (raw.byteLength !== wanted) {
    const message = `input "${spec.name}" needs ${wanted} bytes for ${rows} rows, got ${raw.byteLength}`;
    throw mismatch(`raw_input_contents[${position}]`, message);
  }
  return raw;
}

function typedBytes({ contents }: InferInput, { spec, rows, path }: Expected): Uint8Array {
  const values = (contents?.[CONTENTS_FIELD[spec.datatype]] ?? []) as readonly (number | boolean)[];
  const wanted = rows * spec.width;
  if (values.length !== wanted) {
    const message = `input "${spec.name}" needs ${wanted} ${spec.datatype} values in its contents or in raw_input_contents, got ${values.length}`;
    throw mismatch(`${path}.contents`, message);
  }
  const tensor: TensorArray = allocateTensor(spec, rows);
  if (tensor instanceof BigInt64Array) values.forEach((value, i) => (tensor[i] = BigInt(value)));
  else values.forEach((value, i) => (tensor[i] = Number(value)));
  return new Uint8Array(tensor.buffer);
}

function hasContents(contents: TensorContents | null | undefined): boolean {
  return contents ? Object.values(contents).some((values: readonly unknown[]) => values.length > 0) : false;
}

function mismatch(path: string, message: string): DomainError {
  return new DomainError('TENSOR_MISMATCH', `${path}: ${message}`, { path });
}
