"""The peer: KServe's Python server with two workers. Speaks the Open Inference Protocol.

Usage: kserve_server.py <model> <port>
"""

import sys

import numpy as np
import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer


class OnnxModel(Model):
    """Loads at its first request: the server pickles models for its workers, and a session cannot be."""

    def __init__(self, path):
        super().__init__("peer")
        self._path = path
        self._session = None
        self.ready = True

    def _load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self._path, options)
        self._input = self._session.get_inputs()[0].name

    async def predict(self, payload, headers=None, response_headers=None):
        if self._session is None:
            self._load()
        rows = payload.inputs[0].as_numpy().astype(np.float32, copy=False)
        values = self._session.run(None, {self._input: rows})[0]
        output = InferOutput(name="variable", shape=list(values.shape), datatype="FP32", data=values.reshape(-1).tolist())
        return InferResponse(response_id=payload.id or "", model_name=self.name, infer_outputs=[output])


if __name__ == "__main__":
    server = ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=2, access_log_format=None)
    server.start([OnnxModel(sys.argv[1])])
