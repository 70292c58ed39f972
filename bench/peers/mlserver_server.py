"""The peer: MLServer without parallel workers, the faster of its two ways, with a runtime of its own for ONNX Runtime.

Speaks the Open Inference Protocol. Usage: mlserver_server.py <model> <port>
"""

import json
import os
import socket
import sys
import tempfile

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxModel(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self._input = self._session.get_inputs()[0].name
        return True

    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        output = self._session.run(None, {self._input: rows})[0]
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("variable", output)])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


if __name__ == "__main__":
    folder = tempfile.mkdtemp(prefix="pademelon-bench-mlserver-")
    ports = {"http_port": int(sys.argv[2]), "grpc_port": free_port(), "metrics_port": free_port()}
    with open(os.path.join(folder, "settings.json"), "w") as file:
        json.dump({"host": "127.0.0.1", **ports, "parallel_workers": 0, "debug": False, "metrics_endpoint": None}, file)
    with open(os.path.join(folder, "model-settings.json"), "w") as file:
        parameters = {"uri": sys.argv[1]}
        json.dump({"name": "peer", "implementation": "mlserver_server.OnnxModel", "parameters": parameters}, file)
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}
    mlserver = os.path.join(os.path.dirname(sys.executable), "mlserver")
    os.execve(mlserver, [mlserver, "start", folder], environment)
