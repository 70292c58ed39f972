"""Python steps before and after an ONNX model, as both SDK generations upload them."""

import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import wallaroo
from notebook import HOUSE_PRICES, asset, expect_error, new_workspace, only, unique, upload
from wallaroo.framework import Framework

LABELS = ["dear" if price > 600_000 else "fair" for price in HOUSE_PRICES]

# The two forms that tutorials write: arrays by name, and a DataFrame.
PREPROCESS = '''
import numpy as np
from mac.types import InferenceData

def process_data(input_data: InferenceData) -> InferenceData:
    return {"tensor": (input_data["doubled"] / 2).astype(np.float32)}
'''
POSTPROCESS = '''
import pandas as pd
from limits import DEAR

print("the post-processing was loaded")

def wallaroo_json(data: pd.DataFrame):
    print("rows:", len(data))
    prices = [cell[0] for cell in data["variable"]]
    return [{"price": int(round(price)), "label": "dear" if price > DEAR else "fair"} for price in prices]
'''
SCHEMAS = {
    "preprocess": (
        pa.schema([pa.field("doubled", pa.list_(pa.float64()))]),
        pa.schema([pa.field("tensor", pa.list_(pa.float32()))]),
    ),
    "postprocess": (
        pa.schema([pa.field("variable", pa.list_(pa.float32()))]),
        pa.schema([pa.field("price", pa.int64()), pa.field("label", pa.string())]),
    ),
    "broken": (pa.schema([pa.field("a", pa.int64())]), pa.schema([pa.field("a", pa.int64())])),
}


def upload_script(n, name, file):
    """As each generation uploads a script; the newer SDK waits until it is packaged."""
    if n.generation == "2026":
        inputs, outputs = SCHEMAS[name]
        return n.wl.upload_model(
            unique(name), str(file), framework=Framework.PYTHON, input_schema=inputs, output_schema=outputs
        )
    if os.environ.get("MODELS_ENABLED") == "true":
        return n.wl.upload_model(unique(name), str(file), framework=Framework.PYTHON)
    return n.wl.upload_model(unique(name), str(file)).configure("python")


def requests(count=5):
    tensors = pd.read_json(str(asset("data/xtest-1k.df.json")))["tensor"].head(count)
    return pd.DataFrame({"doubled": [[2 * value for value in tensor] for tensor in tensors]})


def wait_until(model, status):
    """The older SDK does not wait for a script to be packaged, which on a new platform takes longer than a deployment may."""
    for _ in range(240):
        if status in str(model.status()).lower():
            return
        time.sleep(0.5)
        model._rehydrate()
    raise AssertionError(f"{model.name()} is still {model.status()}")


def assert_prices(prices, count=5):
    """Whole numbers of what the model says, whose last digits depend on how many rows it sees at once."""
    prices = list(prices)
    assert all(float(price).is_integer() for price in prices), prices
    assert np.allclose(prices[:count], HOUSE_PRICES[:count], rtol=0, atol=1), prices[:count]


def cell_log_in(n):
    """logs in"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "python-steps")


def cell_upload(n):
    """uploads a script, and a zip of a script with a module beside it"""
    Path("preprocess.py").write_text(PREPROCESS)
    n.preprocess = upload_script(n, "preprocess", "preprocess.py")
    if n.generation == "2023":
        Path("postprocess.py").write_text(POSTPROCESS.replace("from limits import DEAR", "DEAR = 600_000"))
        n.postprocess = upload_script(n, "postprocess", "postprocess.py")
    else:
        with zipfile.ZipFile("postprocess.zip", "w") as archive:
            archive.writestr("postprocess.py", POSTPROCESS)
            archive.writestr("limits.py", "DEAR = 600_000\n")
        n.postprocess = upload_script(n, "postprocess", "postprocess.zip")
    n.house_price = upload(n.wl, unique("house-price"), "rf_model.onnx", tensor_fields=["tensor"])


@only("2026")
def cell_ready(n):
    """has them packaged when the upload returns, with a log of that, and lists them"""
    for model in (n.preprocess, n.postprocess):
        assert str(model.status()).endswith("ready"), (model.status(), model.error_summary())
    log = "\n".join(str(line) for line in n.postprocess.get_upload_logs() or []) or ""
    listed = [model.name() for model in n.wl.list_models()]
    assert {n.preprocess.name(), n.postprocess.name()} <= set(listed), (listed, log)
    assert str(n.preprocess.config().runtime()) == "flight", n.preprocess.config().runtime()


def cell_deploy(n):
    """deploys them around an ONNX model"""
    if n.generation == "2023":
        for model in (n.preprocess, n.postprocess):
            wait_until(model, "ready")
    n.pipeline = n.wl.build_pipeline(unique("python-steps"))
    for model in (n.preprocess, n.house_price, n.postprocess):
        n.pipeline.add_model_step(model)
    n.pipeline.deploy()
    assert n.pipeline.status()["status"] == "Running"


def cell_infer(n):
    """answers with what the last script makes of the model's answer to what the first made of the request"""
    answer = n.pipeline.infer(requests())
    assert_prices(answer["out.price"])
    assert list(answer["out.label"]) == LABELS, answer
    assert [len(cell) for cell in answer["in.doubled"]] == [18] * 5


def cell_infer_arrow(n):
    """answers Arrow with Arrow"""
    table = pa.Table.from_pandas(requests(), preserve_index=False)
    answer = n.pipeline.infer(table)
    assert_prices(answer["out.price"].to_pylist())
    assert answer["out.label"].to_pylist() == LABELS, answer


def cell_thousand_rows(n):
    """answers a thousand rows at once"""
    answer = n.pipeline.infer(requests(1000))
    assert len(answer) == 1000, len(answer)
    assert_prices(answer["out.price"])


def cell_exception(n):
    """tells the exception of a script with its line, and goes on"""
    wrong = pd.DataFrame({"halved": [[0.5] * 18], "index": ["first"]})
    expected = r"schema names 'doubled'" if n.generation == "2026" else r"KeyError: 'doubled' \(preprocess.py, line 6\)"
    error = expect_error(Exception, expected, lambda: n.pipeline.infer(wrong))
    assert "/opt" not in str(error) and "site-packages" not in str(error), error
    assert_prices(n.pipeline.infer(requests(2))["out.price"], 2)


def cell_logs(n):
    """logs what came in and what went out of the pipeline"""
    logs = n.pipeline.logs(limit=2)
    assert len(logs) == 2, logs
    assert_prices(sorted(logs["out.price"], reverse=True), 2)
    assert {"in.doubled", "out.label"} <= set(logs.columns), logs.columns


def cell_undeploy(n):
    """undeploys"""
    n.pipeline.undeploy()


def cell_broken(n):
    """has a script that cannot be loaded in error, with the reason"""
    Path("broken.py").write_text("import nothing_like_it\n\ndef process_data(input_data):\n    return input_data\n")
    model = upload_script(n, "broken", "broken.py")
    if n.generation == "2023":
        return wait_for_refusal(n, model)
    assert str(model.status()).endswith("error"), model.status()
    assert "No module named 'nothing_like_it' (broken.py, line 1)" in model.error_summary(), model.error_summary()


def wait_for_refusal(n, model):
    """The older SDK shows no reason of a model; a deployment of it is refused."""
    pipeline = n.wl.build_pipeline(unique("broken"))
    pipeline.add_model_step(model)
    wait_until(model, "error")
    expect_error(Exception, "could not be packaged", pipeline.deploy)


def cell_no_entry_point(n):
    """refuses a script without an entry point at its upload"""
    Path("plain.py").write_text("def predict(x):\n    return x\n")
    expect_error(Exception, "defines process_data", lambda: upload_script(n, "broken", "plain.py"))
