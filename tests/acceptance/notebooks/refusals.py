"""What the platform refuses, and that the reason reaches the notebook."""

import pandas as pd
import wallaroo
from notebook import asset, deployed, expect_error, new_workspace, only, unique, upload
from wallaroo.framework import Framework


def cell_set_up(n):
    """has a deployed model"""
    n.wl = wallaroo.Client()
    n.workspace = new_workspace(n.wl, "refusals")
    n.model = upload(n.wl, unique("refusing"), "rf_model.onnx", tensor_fields=["tensor"])
    n.pipeline = deployed(n.wl, "refusing", n.model)


def cell_wrong_width(n):
    """says which row and column are too wide"""
    frame = pd.DataFrame({"tensor": [[1.0] * 18, [1.0] * 19]})
    expect_error(Exception, "(?s)tensor.*18|18.*tensor", lambda: n.pipeline.infer(frame))


def cell_strings(n):
    """says where a string stands for a number"""
    frame = pd.DataFrame({"tensor": [["a"] + [1.0] * 17]})
    expect_error(Exception, "tensor", lambda: n.pipeline.infer(frame))


def cell_unknown_column(n):
    """names the column that it waits for"""
    frame = pd.DataFrame({"nothing": [[1.0] * 18]})
    expect_error(Exception, "tensor|float_input", lambda: n.pipeline.infer(frame))


def cell_not_onnx(n):
    """refuses a file that is not ONNX, at the upload or with its reason in the deployment's status"""
    with open("broken.onnx", "wb") as file:
        file.write(b"this is a text and no model" * 100)
    n.broken = expect_refusal(n, "broken.onnx")


def cell_truncated(n):
    """refuses a truncated model"""
    with open(asset("models/rf_model.onnx"), "rb") as whole, open("truncated.onnx", "wb") as file:
        file.write(whole.read()[:100_000])
    expect_refusal(n, "truncated.onnx")


def expect_refusal(n, path):
    return expect_error(
        Exception,
        "(?i)onnx|model",
        lambda: n.wl.upload_model(unique("broken"), path, framework=Framework.ONNX).configure(),
    )


@only("2026")
def cell_other_framework(n):
    """says that a framework is not supported"""
    import pyarrow as pa

    schema = pa.schema([pa.field("x", pa.list_(pa.float32()))])
    error = expect_error(
        Exception,
        "(?i)not supported|sklearn",
        lambda: n.wl.upload_model(
            unique("sklearn"), asset("models/rf_model.onnx"), Framework.SKLEARN, input_schema=schema, output_schema=schema
        ),
    )
    print(error)


def cell_still_serving(n):
    """still serves the first model"""
    assert len(n.pipeline.infer_from_file(str(asset("data/xtest-1.df.json")))) == 1
    n.pipeline.undeploy()
