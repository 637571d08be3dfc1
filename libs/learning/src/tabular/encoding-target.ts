/** Where one raw column is written: its first model input column and the shape of the whole. */
export interface EncodingTarget {
  output: Float32Array;
  width: number;
  offset: number;
  rows: number;
}
