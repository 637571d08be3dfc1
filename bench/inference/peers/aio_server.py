"""What a team would write by hand: grpc.aio in front of ONNX Runtime, one run a call.

usage: aio_server.py PORT NAME=model.onnx [NAME=model.onnx ...]
needs: pip install onnxruntime==1.30.0 "tritonclient[grpc]" numpy
"""

import asyncio
import sys

import grpc
import numpy
import onnxruntime
from tritonclient.grpc import service_pb2, service_pb2_grpc


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session, session.get_inputs()[0].name, [output.name for output in session.get_outputs()]


class Inference(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, sessions):
        self.sessions = sessions

    async def ModelInfer(self, request, context):
        if request.model_name not in self.sessions:
            await context.abort(grpc.StatusCode.NOT_FOUND, request.model_name)
        session, input_name, output_names = self.sessions[request.model_name]
        rows = numpy.frombuffer(request.raw_input_contents[0], dtype=numpy.float32)
        rows = rows.reshape(request.inputs[0].shape)
        answer = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="1", id=request.id)
        for name, values in zip(output_names, session.run(None, {input_name: rows})):
            answer.outputs.add(name=name, datatype="FP32", shape=values.shape)
            answer.raw_output_contents.append(values.tobytes())
        return answer


async def main():
    port, *models = sys.argv[1:]
    sessions = {name: open_session(path) for name, path in (model.split("=", 1) for model in models)}
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 64 << 20)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Inference(sessions), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


asyncio.run(main())
