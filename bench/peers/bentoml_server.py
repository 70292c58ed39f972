"""The peer: BentoML with two workers. Usage: bentoml_server.py <model> <port>"""

import os
import sys

import bentoml
import numpy as np
import onnxruntime


@bentoml.service(workers=2, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Peer:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self._input = self._session.get_inputs()[0].name

    @bentoml.api
    def predict(self, instances: list[list[float]]) -> list[list[float]]:
        rows = np.array(instances, dtype=np.float32)
        return self._session.run(None, {self._input: rows})[0].tolist()


if __name__ == "__main__":
    bin_folder = os.path.dirname(sys.executable)
    folder = os.path.dirname(os.path.abspath(__file__))
    environment = {**os.environ, "BENCH_MODEL": sys.argv[1], "BENTOML_DO_NOT_TRACK": "true"}
    environment["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
    command = ["bentoml", "serve", "bentoml_server:Peer", "--host", "127.0.0.1", "--port", sys.argv[2]]
    os.chdir(folder)
    os.execve(os.path.join(bin_folder, "bentoml"), command, environment)
