// The floor of any gRPC server in Node: ModelInfer in grpc-js that reads nothing and answers one fixed message.
//
//   node bench/inference/echo.mjs PORT RESPONSE_FILE      the file holds one serialised ModelInferResponse
//
// GRPC_OPTIONS takes a JSON object of channel options, to see what they change.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';

const [port, file] = process.argv.slice(2);
if (!port || !file) throw new Error('usage: echo.mjs PORT RESPONSE_FILE');
const response = readFileSync(file);
const asIs = (bytes) => bytes;

const server = new Server(JSON.parse(process.env['GRPC_OPTIONS'] ?? '{}'));
server.addService(
  {
    ModelInfer: {
      path: '/inference.GRPCInferenceService/ModelInfer',
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  { ModelInfer: (_call, reply) => reply(null, response) },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
