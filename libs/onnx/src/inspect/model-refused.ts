/** Why a file made elsewhere is not taken; stable names, each with its own remedy. */
export const REFUSAL_CODES = [
  'SOURCE_REFUSED',
  'SOURCE_UNREACHABLE',
  'FILE_TOO_LARGE',
  'HASH_MISMATCH',
  'NOT_ONNX',
  'OPSET_UNSUPPORTED',
  'OPERATOR_UNSUPPORTED',
  'EXTERNAL_DATA_MISSING',
  'GRAPH_TOO_LARGE',
  'GRAPH_INVALID',
  'INPUT_MISMATCH',
  'OUTPUT_MISMATCH',
  'RUNTIME_REFUSED',
  'RUN_FAILED',
  'MEMORY_EXCEEDED',
  'TIME_EXCEEDED',
  'OUTPUT_NOT_FINITE',
  'OUTPUT_OUT_OF_RANGE',
  'SAMPLE_DIFFERS',
  'NOT_DETERMINISTIC',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A model file that is not taken. The message names what was found, what was expected and the remedy; it holds no row of anybody. */
export class ModelRefused extends Error {
  override readonly name = 'ModelRefused';

  constructor(
    readonly code: RefusalCode,
    message: string,
  ) {
    super(message);
  }
}

/** A name out of a file, short and printable. */
export function shown(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length > 60 ? `"${printable.slice(0, 57)}..."` : `"${printable}"`;
}
