/** The messages of `inference/v2/grpc_service.proto` that carry tensors, as they are decoded. */
export interface TensorContents {
  boolContents: boolean[];
  intContents: number[];
  int64Contents: number[];
  uintContents: number[];
  uint64Contents: number[];
  fp32Contents: number[];
  fp64Contents: number[];
  bytesContents: Buffer[];
}

export interface InferInput {
  name: string;
  datatype: string;
  shape: number[];
  contents: TensorContents | null;
}

export interface ModelInferRequest {
  modelName: string;
  modelVersion: string;
  id: string;
  inputs: InferInput[];
  outputs: { name: string }[];
  rawInputContents: Buffer[];
}

export interface ModelInferResponse {
  modelName: string;
  modelVersion: string;
  id: string;
  outputs: { name: string; datatype: string; shape: number[] }[];
  rawOutputContents: Buffer[];
}

export interface TensorMetadata {
  name: string;
  datatype: string;
  shape: number[];
}

export interface ModelMetadataResponse {
  name: string;
  versions: string[];
  platform: string;
  inputs: TensorMetadata[];
  outputs: TensorMetadata[];
  properties: Record<string, string>;
}
