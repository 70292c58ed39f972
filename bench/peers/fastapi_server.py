"""The peer: FastAPI with its fastest parts, giving the same full pipeline answer as the product.

Raw request bodies, orjson, pyarrow, one ONNX Runtime session with one thread in each of two workers.
Usage: fastapi_server.py <model> <port> [gc-off]
"""

import gc
import os
import sys
import time

import numpy as np
import onnxruntime
import orjson
import pyarrow as pa
import uvicorn
from fastapi import FastAPI, Request, Response

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.file"


def create_app():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
    input_name = session.get_inputs()[0].name
    output_names = [output.name for output in session.get_outputs()]
    app = FastAPI(openapi_url=None)

    @app.post("/infer")
    async def infer(request: Request):
        body = await request.body()
        if request.headers["content-type"] == ARROW:
            return Response(infer_arrow(body), media_type=ARROW)
        return Response(infer_json(body), media_type=JSON)

    def infer_json(body):
        rows = [row["tensor"] for row in orjson.loads(body)]
        outputs = session.run(output_names, {input_name: np.array(rows, dtype=np.float32)})[0]
        now = int(time.time() * 1000)
        return orjson.dumps(
            [
                {"time": now, "in.tensor": row, "out.variable": output, "check_failures": []}
                for row, output in zip(rows, outputs)
            ],
            option=orjson.OPT_SERIALIZE_NUMPY,
        )

    failures_type = pa.list_(pa.string())

    def infer_arrow(body):
        with pa.ipc.open_file(pa.py_buffer(body)) as reader:
            column = reader.get_batch(0).column("tensor")
        count = len(column)
        values = column.flatten().to_numpy(zero_copy_only=True)
        outputs = session.run(output_names, {input_name: values.reshape(count, -1)})[0]
        now = int(time.time() * 1000)
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(np.full(count, now, dtype=np.int64)),
                column,
                pa.FixedSizeListArray.from_arrays(pa.array(outputs.reshape(-1)), outputs.shape[1]),
                pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, dtype=np.int32)), pa.array([], pa.string())),
            ],
            ["time", "in.tensor", "out.variable", "check_failures"],
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return sink.getvalue().to_pybytes()

    if os.environ.get("BENCH_GC") == "off":
        gc.collect()
        gc.freeze()
        gc.disable()
    return app


if __name__ == "__main__":
    os.environ["BENCH_MODEL"] = sys.argv[1]
    if "gc-off" in sys.argv:
        os.environ["BENCH_GC"] = "off"
    uvicorn.run(
        "fastapi_server:create_app",
        factory=True,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        workers=2,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
