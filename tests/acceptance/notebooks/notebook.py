"""What the notebooks share: data, expected values, and short forms of steps that both SDK generations have."""

import io
import math
import os
import re
import time
import uuid
import zipfile
from pathlib import Path

ASSETS = Path(os.environ["ASSETS"])

# Predictions of rf_model.onnx by ONNX Runtime itself, from the data's manifest.
HOUSE_PRICES = [718013.625, 615094.5, 448627.71875, 758714.125, 513264.65625]
FIRST_HOUSE_PRICE = 718013.6875
LARGE_HOUSE = [4, 3, 3710, 20000, 2, 0, 2, 5, 10, 2760, 950, 47.6696, -122.261, 3970, 20000, 79, 0, 0]
LARGE_HOUSE_PRICE = 1514079.375
DEAR_HOUSES = [30, 248, 255, 556, 698, 711, 722, 782, 965]


def only(generation):
    """Ties a cell to one SDK generation."""

    def mark(cell):
        cell.generation = generation
        return cell

    return mark


def asset(name):
    return ASSETS / name


def unique(name):
    """A name that no other run has used, fit for workspaces, models and pipelines."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def assert_close(actual, expected, what="value"):
    """Relative 1e-6: one row and the same row in a batch differ in the last digits of a float32."""
    actual, expected = list(actual), list(expected)
    assert len(actual) == len(expected), f"{len(actual)} instead of {len(expected)} {what}s: {actual[:5]}"
    for index, (a, e) in enumerate(zip(actual, expected)):
        assert math.isclose(float(a), float(e), rel_tol=1e-6), f"{what} {index} is {a} instead of {e}"


def assert_thousand_house_prices(prices):
    prices = [float(price) for price in prices]
    assert_close(prices[:5], HOUSE_PRICES, "price")
    assert_close([min(prices), max(prices)], [236238.6875, 2016006.0], "extreme price")
    assert_close([sum(prices) / len(prices)], [539489.479234375], "mean price")
    assert [index for index, price in enumerate(prices) if price > 1_500_000] == DEAR_HOUSES


def first_values(column):
    """The first element of each row's list, as models with one output column answer."""
    return [row[0] for row in column]


def expect_error(kind, part, action):
    """Runs action, which must raise `kind` with a message that matches the pattern `part`."""
    try:
        answer = action()
    except kind as error:
        text = str(error)
        assert re.search(part, text), f"{type(error).__name__} says {text!r}, which does not match {part!r}"
        return error
    raise AssertionError(f"expected {kind} matching {part!r}, got the answer {answer!r}")


def new_workspace(wl, name):
    workspace = wl.create_workspace(unique(name))
    wl.set_current_workspace(workspace)
    return workspace


def upload(wl, name, file, tensor_fields=None):
    """Uploads an ONNX model, by its name among the assets or its path, as tutorials of both generations do."""
    from wallaroo.framework import Framework

    model = wl.upload_model(name, str(ASSETS / "models" / file), framework=Framework.ONNX)
    if tensor_fields is None:
        return model.configure()
    return model.configure("onnx", tensor_fields=tensor_fields) if is_2023() else model.configure(tensor_fields=tensor_fields)


def is_2023():
    import wallaroo

    return not hasattr(wallaroo.client.Client, "get_pipeline")


def deployed(wl, name, *models, config=None):
    pipeline = wl.build_pipeline(unique(name))
    for model in models:
        pipeline.add_model_step(model)
    pipeline.deploy(deployment_config=config)
    return pipeline


def assert_html(thing, *parts):
    """The notebook's display of an object works and shows each of the parts."""
    html = thing._repr_html_()
    assert isinstance(html, str) and "<" in html, f"no HTML: {html!r}"
    for part in parts:
        assert str(part) in html, f"{part!r} is not shown in {html[:2000]}"


def wait_for(what, question, seconds):
    """The first true answer; tutorials loop in the same way, without the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.2)


def zipped(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(name, text)
    return archive.getvalue()


def word(status):
    return getattr(status, "value", status)


def statuses(task):
    """The outcome of each of the task's runs, newest first."""
    return [word(run._status) for run in task.last_runs()]
