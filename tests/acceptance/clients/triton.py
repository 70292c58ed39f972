"""Uses a platform as a user of Triton would: with the unmodified tritonclient. Every `check_…` is one behaviour, named by
its docstring; the report has a JSON line for each. What is expected is computed with numpy."""

import asyncio
import json
import os
import sys
import traceback

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

names = json.loads(os.environ["MODELS"])
headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
client = triton.InferenceServerClient(url=os.environ["ADDRESS"])


def tensor(name, array, binary=True):
    kind = "BYTES" if array.dtype == np.object_ else np_to_triton_dtype(array.dtype)
    made = triton.InferInput(name, list(array.shape), kind)
    return made.set_data_from_numpy(array, binary_data=binary)


def infer(model, inputs, **options):
    return client.infer(names[model], inputs, headers=dict(headers), **options)


def refused(call, status, words):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == str(status), (error.status(), error.message())
        assert words in error.message(), error.message()
        return
    raise AssertionError("was not refused")


rows = np.arange(12, dtype=np.float32).reshape(4, 3) / 3


def check_health():
    """the server lives and is ready, without a token"""
    assert client.is_server_live()
    assert client.is_server_ready()


def check_model_ready():
    """a deployed pipeline is a ready model, also by its version; others are not"""
    [version] = client.get_model_metadata(names["sum"], headers=headers)["versions"]
    assert client.is_model_ready(names["sum"], headers=headers)
    assert client.is_model_ready(names["sum"], version, headers=headers)
    assert not client.is_model_ready(names["sum"], "1", headers=headers)
    assert not client.is_model_ready("no-such-model", headers=headers)
    assert not client.is_model_ready(names["sum"])


def check_server_metadata():
    """the server tells its name and its extensions"""
    metadata = client.get_server_metadata()
    assert metadata["name"] == "pademelon"
    assert "binary_tensor_data" in metadata["extensions"]


def check_model_metadata():
    """a model's metadata has its inputs and outputs, with configured names"""
    metadata = client.get_model_metadata(names["sum"], headers=headers)
    assert metadata["name"] == names["sum"]
    assert metadata["inputs"] == [{"name": "house", "datatype": "FP32", "shape": [-1, 3]}], metadata
    assert metadata["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}], metadata
    several = client.get_model_metadata(names["several"], headers=headers)
    assert [i["datatype"] for i in several["inputs"]] == ["FP32", "FP32", "BOOL"]
    refused(lambda: client.get_model_metadata("no-such-model", headers=headers), 404, 'no model "no-such-model"')
    refused(lambda: client.get_model_metadata(names["sum"], "1", headers=headers), 404, "not deployed")
    refused(lambda: client.get_model_metadata(names["sum"]), 401, "token")


def check_model_config():
    """a model's configuration is told in Triton's words"""
    config = client.get_model_config(names["texts"], headers=headers)
    assert config["input"] == [{"name": "x", "data_type": "TYPE_STRING", "dims": [-1, 2]}], config
    assert config["max_batch_size"] == 0


def check_repository_index():
    """the repository index lists what the caller may use"""
    listed = {model["name"]: model for model in client.get_model_repository_index(headers=headers)}
    for name in names.values():
        assert listed[name]["state"] == "READY", listed


def check_binary():
    """tensors go as bytes both ways, which is what the client does by itself"""
    result = infer("sum", [tensor("house", rows)], request_id="request-7")
    np.testing.assert_allclose(result.as_numpy("y"), rows.sum(axis=1, keepdims=True), rtol=1e-6)
    response = result.get_response()
    assert response["id"] == "request-7"
    assert response["model_name"] == names["sum"]
    assert response["outputs"][0]["parameters"]["binary_data_size"] == 16


def check_json():
    """tensors go as JSON both ways where asked"""
    outputs = [triton.InferRequestedOutput("y", binary_data=False)]
    result = infer("sum", [tensor("house", rows, binary=False)], outputs=outputs)
    assert "parameters" not in result.get_output("y")
    np.testing.assert_array_equal(result.as_numpy("y"), infer("sum", [tensor("house", rows)]).as_numpy("y"))


def check_version():
    """the deployed version can be asked for, another one is refused"""
    [version] = client.get_model_metadata(names["sum"], headers=headers)["versions"]
    result = infer("sum", [tensor("house", rows)], model_version=version)
    assert result.get_response()["model_version"] == version
    refused(lambda: infer("sum", [tensor("house", rows)], model_version="7"), 404, "not served")


def check_several():
    """several inputs and chosen outputs, each in the form that was asked for"""
    a, b = np.float32([[1.5], [2]]), np.float32([[4], [0.25]])
    mask = np.array([[True], [False]])
    inputs = [tensor("mask", mask), tensor("b", b, binary=False), tensor("a", a)]
    outputs = [
        triton.InferRequestedOutput("unmasked", binary_data=True),
        triton.InferRequestedOutput("product", binary_data=False),
    ]
    result = infer("several", inputs, outputs=outputs)
    assert [o["name"] for o in result.get_response()["outputs"]] == ["unmasked", "product"]
    np.testing.assert_array_equal(result.as_numpy("unmasked"), ~mask)
    np.testing.assert_array_equal(result.as_numpy("product"), a * b)
    assert result.as_numpy("sum") is None
    whole = infer("several", inputs)
    np.testing.assert_array_equal(whole.as_numpy("sum"), a + b)


def check_types():
    """every element type of ours comes back as it went, as bytes and as JSON"""
    samples = {
        "FP64": np.array([[0.1, -2e300]]),
        "INT32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
        "UINT8": np.array([[0, 255]], dtype=np.uint8),
        "BOOL": np.array([[True, False]]),
        "texts": np.array([["aé", ""]], dtype=np.object_),
    }
    for model, array in samples.items():
        for binary in (True, False):
            outputs = [triton.InferRequestedOutput("y", binary_data=binary)]
            got = infer(model, [tensor("x", array, binary)], outputs=outputs).as_numpy("y")
            if model == "texts":
                got = np.array([[t.decode() if isinstance(t, bytes) else t for t in got[0]]], dtype=np.object_)
            np.testing.assert_array_equal(got, array, err_msg=f"{model}, binary={binary}")
    whole = np.array([[2**61, -3]], dtype=np.int64)
    np.testing.assert_array_equal(infer("INT64", [tensor("x", whole)]).as_numpy("doubled"), whole * 2)


def check_compression():
    """compressed requests are understood, and a wish for compressed answers does no harm"""
    for algorithm in ("gzip", "deflate"):
        result = infer(
            "sum",
            [tensor("house", rows)],
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
        np.testing.assert_allclose(result.as_numpy("y"), rows.sum(axis=1, keepdims=True), rtol=1e-6)


def check_large():
    """10,000 rows pass in one request"""
    many = np.random.default_rng(7).random((10_000, 3), dtype=np.float32)
    result = infer("sum", [tensor("house", many)])
    np.testing.assert_allclose(result.as_numpy("y"), many.sum(axis=1, keepdims=True), rtol=1e-5)


def check_async():
    """asynchronous requests of both kinds of client are answered"""
    pending = [client.async_infer(names["sum"], [tensor("house", rows)], headers=dict(headers)) for _ in range(20)]
    for request in pending:
        assert request.get_result().as_numpy("y").shape == (4, 1)

    async def ask():
        async with triton_aio.InferenceServerClient(url=os.environ["ADDRESS"]) as aio:
            assert await aio.is_model_ready(names["sum"], headers=headers)
            calls = [aio.infer(names["sum"], [tensor("house", rows)], headers=dict(headers)) for _ in range(20)]
            return await asyncio.gather(*calls)

    for result in asyncio.run(ask()):
        np.testing.assert_allclose(result.as_numpy("y"), rows.sum(axis=1, keepdims=True), rtol=1e-6)


def check_refusals():
    """what is wrong is said in one sentence with the right status"""
    good = tensor("house", rows)
    refused(lambda: client.infer(names["sum"], [good]), 401, "token")
    refused(lambda: client.infer("no-such-model", [good], headers=dict(headers)), 404, 'no model "no-such-model"')
    refused(lambda: infer("sum", [tensor("z", rows)]), 400, 'no input "z"')
    refused(lambda: infer("sum", [tensor("house", rows.astype(np.float64))]), 400, "FP64")
    refused(lambda: infer("sum", [tensor("house", rows[:, :2])]), 400, "takes 3 values")
    refused(lambda: infer("sum", [tensor("house", rows * np.nan)]), 400, "not a finite number")
    missing = [triton.InferRequestedOutput("z")]
    refused(lambda: infer("sum", [good], outputs=missing), 400, 'no output "z"')
    top = [triton.InferRequestedOutput("y", class_count=2)]
    refused(lambda: infer("sum", [good], outputs=top), 400, "Classification")
    refused(lambda: infer("sum", [good], sequence_id=5, sequence_start=True), 400, "Sequences")
    refused(lambda: client.register_system_shared_memory("r", "/r", 8, headers=headers), 404, "This server has no")
    refused(lambda: client.load_model(names["sum"], headers=headers), 404, "This server has no")
    assert infer("sum", [good]).as_numpy("y").shape == (4, 1)


if __name__ == "__main__":
    for name, check in [item for item in globals().items() if item[0].startswith("check_")]:
        try:
            check()
            outcome = None
        except Exception:
            outcome = traceback.format_exc()
        print(json.dumps({"name": check.__doc__, "failure": outcome}), flush=True)
    client.close()
    sys.exit(0)
