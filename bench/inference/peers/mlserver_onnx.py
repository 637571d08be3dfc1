"""ONNX Runtime as a model of MLServer, which brings none of its own."""

import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            self.settings.parameters.uri, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(numpy.float32, copy=False)
        answers = self._session.run(None, {self._input: rows})
        outputs = [NumpyCodec.encode_output(name, values) for name, values in zip(self._outputs, answers)]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
