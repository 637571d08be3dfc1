import type { RefusalCode } from '@sextant/onnx';

/** What a file made elsewhere goes through, in this order; the first that fails ends it. */
export const IMPORT_CHECKS = [
  'source',
  'sha256',
  'format',
  'operators',
  'signature',
  'opens',
  'sample',
  'range',
  'determinism',
  'latency',
] as const;
export type ImportCheckName = (typeof IMPORT_CHECKS)[number];

/** One check as it came out. */
export interface ImportCheck {
  name: ImportCheckName;
  passed: boolean;
  /** in words and figures */
  required: string;
  observed: string;
  /** null where it passed */
  code: RefusalCode | null;
}
