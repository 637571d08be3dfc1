// The floor of any gRPC server in Node: ModelInfer in grpc-js that reads nothing but a request's length and answers a fixed message.
//
//   node bench/inference/echo.mjs PORT BYTES=RESPONSE_FILE …      a serialised ModelInferResponse by the length of the request
//
// GRPC_OPTIONS takes a JSON object of channel options, to see what they change.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';

const [port, ...answers] = process.argv.slice(2);
if (!port || answers.length === 0) throw new Error('usage: echo.mjs PORT BYTES=RESPONSE_FILE …');
const responses = new Map(
  answers.map((answer) => {
    const [bytes, file] = answer.split('=');
    return [Number(bytes), readFileSync(file)];
  }),
);
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
  { ModelInfer: ({ request }, reply) => reply(null, responses.get(request.byteLength)) },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
