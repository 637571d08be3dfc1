"""Drives a worker with NVIDIA's tritonclient; one line of JSON a check.

usage: run.py '{"address": "host:port", "http": "host:port", "models": [{"name", "columns", "onnx"}], "datatypes": ["FP32", ...]}'
needs: pip install "tritonclient[grpc]==2.73.0" onnxruntime==1.30.0
"""

import json
import sys

import grpc
import tritonclient.grpc as triton
from datatypes import DatatypeChecks, model_of
from server import ServerChecks
from tabular import TabularChecks
from tritonclient.grpc import service_pb2_grpc


def main():
    plan = json.loads(sys.argv[1])
    address = plan["address"]
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(address))
    with triton.InferenceServerClient(address) as client:
        for name in [model["name"] for model in plan["models"]] + [model_of(each) for each in plan["datatypes"]]:
            client.load_model(name)
        for model in plan["models"]:
            TabularChecks(client, stub, address, model).run()
        for datatype in plan["datatypes"]:
            DatatypeChecks(client, stub, datatype).run()
        ServerChecks(client, stub, plan["http"], [model["name"] for model in plan["models"]]).run()


main()
