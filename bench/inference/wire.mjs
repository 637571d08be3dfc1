// Serialised messages of the Open Inference Protocol, and calls that send bytes as they are.
import { fileURLToPath } from 'node:url';
import { Client, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO_ROOT = fileURLToPath(new URL('../../proto', import.meta.url));
export const PROTO_FILE = fileURLToPath(
  new URL('../../proto/inference/v2/grpc_service.proto', import.meta.url),
);
export const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';

const { inference } = loadPackageDefinition(
  loadSync('inference/v2/grpc_service.proto', { longs: Number, includeDirs: [PROTO_ROOT] }),
);
const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } =
  inference.GRPCInferenceService.service.ModelInfer;

/** One request of `rows` rows whose values are a seeded walk over [-1, 1]. */
export function inferRequest({ model, input, columns }, rows) {
  const values = Float32Array.from({ length: rows * columns }, (_, at) => ((at * 7919) % 2001) / 1000 - 1);
  return requestSerialize({
    modelName: model,
    inputs: [{ name: input, datatype: 'FP32', shape: [rows, columns] }],
    rawInputContents: [Buffer.from(values.buffer)],
  });
}

/** The answer that a server with the model would give, its values 0. */
export function inferResponse({ model, output, outputColumns }, rows) {
  return responseSerialize({
    modelName: model,
    modelVersion: '1',
    outputs: [{ name: output, datatype: 'FP32', shape: [rows, outputColumns] }],
    rawOutputContents: [Buffer.alloc(4 * rows * outputColumns)],
  });
}

export const readRequest = (bytes) => requestDeserialize(bytes);
export const readResponse = (bytes) => responseDeserialize(bytes);

const asIs = (bytes) => bytes;

/** A client that sends and receives serialised messages. */
export function rawClient(port) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    infer: (request, deadlineMs) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + deadlineMs };
        client.makeUnaryRequest(MODEL_INFER, asIs, asIs, request, options, (error, response) =>
          error ? reject(error) : resolve(response),
        );
      }),
    close: () => client.close(),
  };
}
