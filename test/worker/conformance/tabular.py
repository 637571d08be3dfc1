"""A model of float32 rows through NVIDIA's client: everything that the protocol promises for it."""

import asyncio
import queue
import threading

import numpy
import onnxruntime
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from checks import Report, equal, refused, require
from tritonclient.grpc import service_pb2 as pb

TOLERANCE = 1e-6
ROWS = 7
THREADS = 16
CALLS_A_THREAD = 20
LARGE_REQUEST_BYTES = 8 << 20
MOST_ROWS = 8_000


class TabularChecks:
    def __init__(self, client, stub, address, model):
        self.client, self.stub, self.address = client, stub, address
        self.name, self.columns = model["name"], model["columns"]
        self.reference = onnxruntime.InferenceSession(model["onnx"], providers=["CPUExecutionProvider"])
        self.input, self.output = self.reference.get_inputs()[0].name, self.reference.get_outputs()[0].name
        self.rows = self.draw(ROWS, 1)
        self.expected = self.truth(self.rows)

    def draw(self, rows, seed):
        return numpy.random.default_rng(seed).normal(size=(rows, self.columns)).astype(numpy.float32)

    def truth(self, rows):
        return self.reference.run([self.output], {self.input: rows})[0]

    def run(self):
        report = Report(self.name)
        for name in [each for each in dir(self) if each.startswith("check_")]:
            report.check(name.removeprefix("check_").replace("_", " "), getattr(self, name))
        for name, change, code, naming in REFUSALS:
            report.check(f"refuses {name}", lambda: refused(lambda: self.send(change), code, naming))
        report.check("serves after all that", self.check_raw_rows_equal_python)

    # How requests are made.

    def tensor(self, rows, datatype="FP32"):
        tensor = triton.InferInput(self.input, list(rows.shape), datatype)
        tensor.set_data_from_numpy(rows)
        return tensor

    def infer(self, rows, client=None, **options):
        return (client or self.client).infer(self.name, [self.tensor(rows)], **options)

    def values(self, rows, **options):
        return self.infer(rows, **options).as_numpy(self.output)

    def request(self):
        """A correct request of one row, for a refusal to spoil."""
        request = pb.ModelInferRequest(model_name=self.name)
        request.inputs.add(name=self.input, datatype="FP32", shape=[1, self.columns])
        request.raw_input_contents.append(self.rows[:1].tobytes())
        return request

    def send(self, change):
        request = self.request()
        change(request, self.columns)
        return self.stub.ModelInfer(request, timeout=10)

    def agrees(self, actual, expected, what="the answer"):
        require(actual is not None and actual.shape == expected.shape, f"{what} has another shape")
        worst = float(numpy.abs(actual - expected).max())
        scale = max(1.0, float(numpy.abs(expected).max()))
        require(worst <= TOLERANCE * scale, f"{what} differs by {worst:.1e}")

    # What is asked.

    def check_is_ready_in_each_version_and_no_other(self):
        require(self.client.is_model_ready(self.name), "not ready")
        require(self.client.is_model_ready(self.name, "1"), "version 1 is not ready")
        require(not self.client.is_model_ready(self.name, "999"), "version 999 is ready")
        require(not self.client.is_model_ready("nobody-knows"), "an unknown model is ready")

    def check_metadata_names_the_tensors(self):
        metadata = self.client.get_model_metadata(self.name)
        equal(metadata.name, self.name, "name")
        require("1" in metadata.versions, "version 1 is not listed")
        equal([(t.name, t.datatype, list(t.shape)) for t in metadata.inputs], [(self.input, "FP32", [-1, self.columns])], "inputs")
        equal([(t.name, t.datatype) for t in metadata.outputs], [(self.output, "FP32")], "outputs")
        equal(list(metadata.outputs[0].shape), [-1, self.expected.shape[1]], "output shape")

    def check_metadata_of_what_is_not_there(self):
        refused(lambda: self.client.get_model_metadata("nobody-knows"), "NOT_FOUND", "nobody-knows")
        refused(lambda: self.client.get_model_metadata(self.name, "999"), "NOT_FOUND", "999")

    def check_raw_rows_equal_python(self):
        self.agrees(self.values(self.rows), self.expected)

    def check_typed_rows_equal_raw_ones(self):
        request = pb.ModelInferRequest(model_name=self.name)
        tensor = request.inputs.add(name=self.input, datatype="FP32", shape=self.rows.shape)
        tensor.contents.fp32_contents.extend(self.rows.ravel().tolist())
        answer = self.stub.ModelInfer(request, timeout=10)
        equal(answer.raw_output_contents[0], self.infer(self.rows).get_response().raw_output_contents[0], "the bytes")

    def check_a_row_alone_equals_itself_in_a_batch(self):
        alone = numpy.concatenate([self.values(self.rows[i : i + 1]) for i in range(ROWS)])
        self.agrees(alone, self.expected)

    def check_names_model_version_and_id_in_the_answer(self):
        answer = self.infer(self.rows[:1], request_id="r-77").get_response()
        equal((answer.model_name, answer.model_version, answer.id), (self.name, "1", "r-77"), "the answer")

    def check_answers_the_outputs_that_were_asked_for(self):
        wanted = [triton.InferRequestedOutput(self.output)]
        self.agrees(self.values(self.rows, outputs=wanted, model_version="1"), self.expected)

    def check_takes_compressed_messages(self):
        for algorithm in ("gzip", "deflate"):
            self.agrees(self.values(self.rows, compression_algorithm=algorithm), self.expected, algorithm)

    def check_takes_priority_timeout_and_unknown_parameters(self):
        options = {"priority": 1, "timeout": 5_000_000, "parameters": {"something": "else"}}
        self.agrees(self.values(self.rows, **options), self.expected)

    def check_asynchronous_calls_of_the_client(self):
        answers = queue.Queue()
        for first in range(ROWS):
            rows = self.rows[first:]
            done = lambda result, error, first=first: answers.put((first, result, error))
            self.client.async_infer(self.name, [self.tensor(rows)], done)
        for _ in range(ROWS):
            first, result, error = answers.get(timeout=20)
            require(error is None, str(error))
            self.agrees(result.as_numpy(self.output), self.expected[first:])

    def check_the_asyncio_client(self):
        async def ask():
            async with triton_aio.InferenceServerClient(self.address) as client:
                return await asyncio.gather(*(client.infer(self.name, [self.tensor(self.rows)]) for _ in range(32)))

        for answer in asyncio.run(ask()):
            self.agrees(answer.as_numpy(self.output), self.expected)

    def check_streams_are_not_offered(self):
        refused(lambda: next(iter(self.stub.ModelStreamInfer(iter([self.request()]), timeout=10))), "UNIMPLEMENTED")

    def check_concurrent_callers_get_their_own_rows(self):
        failures = []

        def caller(number):
            with triton.InferenceServerClient(self.address) as client:
                for call in range(CALLS_A_THREAD):
                    rows = self.draw(1 + (number * 7 + call) % 23, number * 1_000 + call)
                    self.agrees(self.values(rows, client=client), self.truth(rows), f"call {call} of {number}")

        def guarded(number):
            try:
                caller(number)
            except Exception as error:
                failures.append(str(error))

        threads = [threading.Thread(target=guarded, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        require(not failures, f"{len(failures)} callers failed: {failures[:2]}")

    def check_a_deadline_that_is_too_short(self):
        count = min(MOST_ROWS, LARGE_REQUEST_BYTES // (4 * self.columns))
        rows = numpy.zeros((count, self.columns), numpy.float32)
        refused(lambda: self.infer(rows, client_timeout=0.001), "DEADLINE_EXCEEDED")

    def check_statistics_count_calls_and_rows(self):
        before = self.statistics()
        for _ in range(3):
            self.infer(self.rows)
        refused(lambda: self.infer(self.rows[:, 1:]), "INVALID_ARGUMENT")
        after = self.statistics()
        equal(after.inference_count - before.inference_count, 3 * ROWS, "rows")
        require(1 <= after.execution_count - before.execution_count <= 3, "runs are not 1 to 3")
        stats, old = after.inference_stats, before.inference_stats
        equal(stats.success.count - old.success.count, 3, "answered calls")
        equal(stats.fail.count - old.fail.count, 1, "refused calls")
        require(stats.success.ns > old.success.ns and stats.compute_infer.ns > old.compute_infer.ns, "no time is counted")
        require(abs(after.last_inference - before.last_inference) >= 0 and after.last_inference > 0, "no last inference")

    def check_statistics_of_what_is_not_there(self):
        refused(lambda: self.client.get_inference_statistics("nobody-knows"), "NOT_FOUND", "nobody-knows")

    def statistics(self):
        found = self.client.get_inference_statistics(self.name, "1").model_stats
        equal([(each.name, each.version) for each in found], [(self.name, "1")], "what is counted")
        return found[0]


def set_shape(*shape):
    """A shape in which None is the model's width."""

    def change(request, columns):
        del request.inputs[0].shape[:]
        request.inputs[0].shape.extend(columns if size is None else size for size in shape)

    return change


def as_typed(values):
    def change(request, columns):
        del request.raw_input_contents[:]
        request.inputs[0].contents.fp32_contents.extend([0.0] * values(columns))

    return change


def twice(request, columns):
    request.inputs.add().CopyFrom(request.inputs[0])
    request.raw_input_contents.append(request.raw_input_contents[0])


INVALID = "INVALID_ARGUMENT"
# What is spoiled, how, the status, and what the text must name.
REFUSALS = [
    ("an unknown model", lambda r, c: setattr(r, "model_name", "nobody-knows"), "NOT_FOUND", "nobody-knows"),
    ("an unknown version", lambda r, c: setattr(r, "model_version", "999"), "NOT_FOUND", "999"),
    ("another width", set_shape(1, 5), INVALID, "inputs[0].shape"),
    ("a missing dimension", set_shape(None), INVALID, "inputs[0].shape"),
    ("a dimension too many", set_shape(1, None, 1), INVALID, "inputs[0].shape"),
    ("no shape", set_shape(), INVALID, "inputs[0].shape"),
    ("a negative dimension", set_shape(-1, None), INVALID, "inputs[0].shape"),
    ("no rows", set_shape(0, None), INVALID, "inputs[0].shape"),
    ("2^40 rows", set_shape(1 << 40, None), INVALID, "inputs"),
    ("2^62 rows", set_shape(1 << 62, None), INVALID, "inputs"),
    ("a shape whose product overflows", set_shape(1 << 32, 1 << 32), INVALID, "inputs"),
    ("fewer bytes than the shape says", lambda r, c: r.raw_input_contents.__setitem__(0, b"\0" * 12), INVALID, "raw_input_contents[0]"),
    ("more bytes than the shape says", lambda r, c: r.raw_input_contents.__setitem__(0, b"\0" * (4 * c + 4)), INVALID, "raw_input_contents[0]"),
    ("no contents", lambda r, c: r.ClearField("raw_input_contents"), INVALID, "inputs[0].contents"),
    ("more raw tensors than inputs", lambda r, c: r.raw_input_contents.append(b""), INVALID, "raw_input_contents"),
    ("raw and typed contents at once", lambda r, c: r.inputs[0].contents.fp32_contents.append(1), INVALID, "inputs[0].contents"),
    ("fewer typed values than the shape says", as_typed(lambda c: c - 1), INVALID, "inputs[0].contents"),
    ("more typed values than the shape says", as_typed(lambda c: c + 1), INVALID, "inputs[0].contents"),
    ("another datatype", lambda r, c: setattr(r.inputs[0], "datatype", "INT32"), INVALID, "inputs[0].datatype"),
    ("a datatype that does not exist", lambda r, c: setattr(r.inputs[0], "datatype", "FP33"), INVALID, "inputs[0].datatype"),
    ("an unknown input", lambda r, c: setattr(r.inputs[0], "name", "bogus"), INVALID, "bogus"),
    ("no input", lambda r, c: (r.ClearField("inputs"), r.ClearField("raw_input_contents")), INVALID, "inputs"),
    ("an input that comes twice", twice, INVALID, "inputs[1]"),
    ("an unknown output", lambda r, c: r.outputs.add(name="bogus"), INVALID, "bogus"),
    ("shared memory", lambda r, c: setattr(r.inputs[0].parameters["shared_memory_region"], "string_param", "x"), INVALID, "shared_memory_region"),
    ("a sequence", lambda r, c: setattr(r.parameters["sequence_id"], "int64_param", 1), INVALID, "sequence_id"),
]
