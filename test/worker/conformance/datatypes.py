"""Every datatype of the protocol, there and back through a model that gives back what it gets."""

import numpy
import tritonclient.grpc as triton
from checks import Report, equal, refused, require
from tritonclient.grpc import service_pb2 as pb
from tritonclient.utils import serialize_byte_tensor

NUMPY = {
    "BOOL": numpy.bool_,
    "UINT8": numpy.uint8,
    "UINT16": numpy.uint16,
    "UINT32": numpy.uint32,
    "UINT64": numpy.uint64,
    "INT8": numpy.int8,
    "INT16": numpy.int16,
    "INT32": numpy.int32,
    "INT64": numpy.int64,
    "FP16": numpy.float16,
    "FP32": numpy.float32,
    "FP64": numpy.float64,
}
CONTENTS = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
TEXTS = ["", "plain", "grüß dich 😀", "\ufeffmark", "x" * 10_000, "last"]


def model_of(datatype):
    return f"type-{datatype.lower()}"


def samples(datatype):
    """Two columns with the type's extremes."""
    if datatype == "BYTES":
        return numpy.array([text.encode() for text in TEXTS], dtype=object).reshape(-1, 2)
    kind = NUMPY[datatype]
    if datatype == "BOOL":
        return numpy.array([[True, False], [False, True]])
    if datatype.startswith("FP"):
        limits = numpy.finfo(kind)
        special = [0.0, -0.0, 1.5, -2.25, limits.max, limits.min, limits.tiny, limits.smallest_subnormal, numpy.inf, -numpy.inf]
        return numpy.array([*special, numpy.nan, 1 / 3], dtype=kind).reshape(-1, 2)
    limits = numpy.iinfo(kind)
    return numpy.array([limits.min, limits.max, 0, 1], dtype=kind).reshape(-1, 2)


class DatatypeChecks:
    """Models are called `type-<datatype>` in small letters, input x, output y, shape [-1, 2]."""

    def __init__(self, client, stub, datatype):
        self.client, self.stub, self.datatype = client, stub, datatype
        self.name = model_of(datatype)
        self.values = samples(datatype)

    def run(self):
        report = Report(self.name)
        report.check("says its datatype", self.metadata)
        report.check("gives back raw values to the bit", self.raw)
        if self.datatype == "FP16":
            report.check("refuses typed values, for which the protocol has no field", self.typed_fp16)
            return
        report.check("gives back typed values to the bit", self.typed)
        report.check("refuses values in the field of another datatype", self.wrong_field)
        if self.datatype in ("INT8", "INT16", "UINT8", "UINT16"):
            report.check("refuses typed values that it cannot hold", self.out_of_range)
        if self.datatype == "BYTES":
            report.check("refuses texts whose lengths do not fit", self.bad_lengths)
            report.check("refuses texts that ONNX Runtime cannot hold", self.bad_texts)

    def metadata(self):
        metadata = self.client.get_model_metadata(self.name)
        equal([(t.name, t.datatype, list(t.shape)) for t in metadata.inputs], [("x", self.datatype, [-1, 2])], "inputs")
        equal([(t.name, t.datatype, list(t.shape)) for t in metadata.outputs], [("y", self.datatype, [-1, 2])], "outputs")

    def raw(self):
        tensor = triton.InferInput("x", list(self.values.shape), self.datatype)
        tensor.set_data_from_numpy(self.values)
        answer = self.client.infer(self.name, [tensor])
        equal(answer.get_output("y").datatype, self.datatype, "datatype")
        self.same(answer.as_numpy("y"))

    def typed(self):
        answer = self.send(CONTENTS[self.datatype], self.values.ravel().tolist())
        equal(list(answer.outputs[0].shape), list(self.values.shape), "shape")
        self.same(triton.InferResult(answer).as_numpy("y"))

    def typed_fp16(self):
        refused(lambda: self.send("fp32_contents", [1.0] * self.values.size), "INVALID_ARGUMENT", "inputs[0].contents")

    def wrong_field(self):
        other = "fp64_contents" if self.datatype != "FP64" else "fp32_contents"
        refused(lambda: self.send(other, [1.0] * self.values.size), "INVALID_ARGUMENT", "inputs[0].contents")

    def out_of_range(self):
        beyond = int(numpy.iinfo(NUMPY[self.datatype]).max) + 1
        values = [beyond] * self.values.size
        refused(lambda: self.send(CONTENTS[self.datatype], values), "INVALID_ARGUMENT", str(beyond))

    def bad_lengths(self):
        good = serialize_byte_tensor(self.values).item()
        for bytes_sent in (good[:-1], good + b"\0", b"\xff\xff\xff\xff", b"", good[:3]):
            request = self.request()
            request.raw_input_contents.append(bytes_sent)
            refused(lambda: self.stub.ModelInfer(request, timeout=10), "INVALID_ARGUMENT", "raw_input_contents[0]")

    def bad_texts(self):
        for bad, naming in ((b"a\0b", "NUL"), (b"\xff\xfe", "UTF-8")):
            values = [bad] * self.values.size
            refused(lambda: self.send("bytes_contents", values), "INVALID_ARGUMENT", naming)
            request = self.request()
            serialized = serialize_byte_tensor(numpy.array(values, dtype=object)).item()
            request.raw_input_contents.append(serialized)
            refused(lambda: self.stub.ModelInfer(request, timeout=10), "INVALID_ARGUMENT", naming)

    def request(self):
        request = pb.ModelInferRequest(model_name=self.name)
        request.inputs.add(name="x", datatype=self.datatype, shape=self.values.shape)
        return request

    def send(self, field, values):
        request = self.request()
        getattr(request.inputs[0].contents, field).extend(values)
        return self.stub.ModelInfer(request, timeout=10)

    def same(self, actual):
        require(actual is not None and actual.shape == self.values.shape, "another shape came back")
        if self.datatype == "BYTES":
            equal(actual.ravel().tolist(), self.values.ravel().tolist(), "the texts")
        else:
            equal(actual.dtype, self.values.dtype, "the type")
            equal(actual.tobytes(), self.values.tobytes(), "the bytes")
