"""The peer: `mlflow models serve` with two workers. Usage: mlflow_server.py <model> <port>"""

import os
import sys
import tempfile

import mlflow
import numpy as np
import onnxruntime


class OnnxModel(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(context.artifacts["model"], options)
        self._input = self._session.get_inputs()[0].name

    def predict(self, context, model_input, params=None):
        return self._session.run(None, {self._input: np.asarray(model_input, dtype=np.float32)})[0].tolist()


if __name__ == "__main__":
    folder = os.path.join(tempfile.mkdtemp(prefix="pademelon-bench-mlflow-"), "model")
    mlflow.pyfunc.save_model(folder, python_model=OnnxModel(), artifacts={"model": sys.argv[1]}, pip_requirements=[])
    bin_folder = os.path.dirname(sys.executable)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = ["mlflow", "models", "serve", "-m", folder, "-p", sys.argv[2], "-w", "2", "--env-manager", "local"]
    os.execve(os.path.join(bin_folder, "mlflow"), command, environment)
