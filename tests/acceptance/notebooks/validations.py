"""The tutorials of anomaly detection: what must hold in 2023, what is an anomaly from 2024 on."""

import json
import os
import time
import warnings

import pandas as pd
import pyarrow as pa
import wallaroo
from notebook import (
    DEAR_HOUSES,
    FIRST_HOUSE_PRICE,
    LARGE_HOUSE,
    LARGE_HOUSE_PRICE,
    asset,
    assert_close,
    expect_error,
    first_values,
    new_workspace,
    only,
    unique,
    upload,
)

LIMIT = 1_500_000.0


def small_house():
    return pd.read_json(str(asset("data/xtest-1.df.json")))


def large_house():
    return pd.DataFrame({"tensor": [LARGE_HOUSE]})


def thousand_houses():
    return pd.read_json(str(asset("data/xtest-1k.df.json")))


def failures(n, answer):
    """How many checks each row failed, as either generation shows it."""
    return [int(count) for count in answer["check_failures" if n.generation == "2023" else "anomaly.count"]]


def price():
    import polars as pl

    return pl.col("out.variable").list.get(0)


def fresh(n, name, *models):
    pipeline = n.wl.build_pipeline(unique(name))
    for model in models or (n.model,):
        pipeline.add_model_step(model)
    return pipeline


def cell_set_up(n):
    """has the house-price model in a workspace"""
    n.wl = wallaroo.Client()
    n.workspace = new_workspace(n.wl, "validations")
    n.model = upload(n.wl, unique("house-price"), "rf_model.onnx", tensor_fields=["tensor"])


def cell_deploy(n):
    """deploys a pipeline with a validation as the tutorial writes it"""
    n.pipeline = fresh(n, "validated")
    if n.generation == "2023":
        n.pipeline = n.pipeline.add_validation("price too high", n.model.outputs[0][0] < LIMIT)
    else:
        n.pipeline = n.pipeline.add_validations(too_high=price() > LIMIT)
    assert len(n.pipeline.steps()) == 2, n.pipeline.steps()
    n.pipeline.deploy()
    assert n.pipeline.status()["status"] == "Running", n.pipeline.status()


def cell_one_row(n):
    """finds nothing wrong with a small house, and the price of a large one too high"""
    small = n.pipeline.infer(small_house())
    assert_close(first_values(small["out.variable"]), [FIRST_HOUSE_PRICE])
    assert failures(n, small) == [0], small
    large = n.pipeline.infer(large_house())
    assert_close(first_values(large["out.variable"]), [LARGE_HOUSE_PRICE])
    assert failures(n, large) == [1], large


def cell_columns(n):
    """has the columns in the order of the tutorial"""
    columns = list(n.pipeline.infer(large_house()).columns)
    shown = ["check_failures"] if n.generation == "2023" else ["anomaly.count", "anomaly.too_high"]
    assert columns == ["time", "in.tensor", "out.variable", *shown], columns


def cell_thousand_rows(n):
    """finds the nine dear houses among a thousand"""
    answer = n.pipeline.infer(thousand_houses())
    assert [row for row, count in enumerate(failures(n, answer)) if count > 0] == DEAR_HOUSES, failures(n, answer)
    assert sum(failures(n, answer)) == len(DEAR_HOUSES)
    if n.generation == "2026":
        assert answer.index[answer["anomaly.too_high"] == True].tolist() == DEAR_HOUSES  # noqa: E712


def cell_arrow(n):
    """finds them in an Arrow table as well"""
    answer = n.pipeline.infer_from_file(str(asset("data/xtest-1k.arrow")))
    assert isinstance(answer, pa.Table)
    column = "check_failures" if n.generation == "2023" else "anomaly.count"
    counts = answer[column].to_pylist()
    assert [row for row, count in enumerate(counts) if count > 0] == DEAR_HOUSES, counts
    if n.generation == "2026":
        assert answer.schema.field("anomaly.too_high").type == pa.bool_(), answer.schema


def cell_dictionary(n):
    """shows what did not hold in the classic form"""
    assert n.pipeline.infer({"tensor": small_house()["tensor"].tolist()})[0]["check_failures"] == []
    shown = n.pipeline.infer({"tensor": [LARGE_HOUSE]})[0]["check_failures"]
    if n.generation == "2023":
        assert shown == [{"False": {"expr": f"{n.model.name()}.outputs[0][0] < 1500000"}}], shown
    else:
        assert shown == ["too_high"], shown


def cell_logs(n):
    """has the failures in the logs, in the same columns"""
    # three single rows, 1,000 rows twice, two dictionaries, which the SDK does not wait for
    deadline = time.monotonic() + 10
    while len(logs := n.pipeline.logs(limit=10_000)) < 2005 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(logs) == 2005, len(logs)
    # the large house three times, the dear houses twice
    assert sum(failures(n, logs)) == 3 + 2 * len(DEAR_HOUSES), sum(failures(n, logs))
    dear = [value > LIMIT for value in first_values(logs["out.variable"])]
    assert [count > 0 for count in failures(n, logs)] == dear
    if n.generation == "2026":
        assert list(logs["anomaly.too_high"]) == dear
    columns = list(logs.columns)
    shown = ["check_failures"] if n.generation == "2023" else ["anomaly.count", "anomaly.too_high"]
    assert columns == ["time", "in.tensor", "out.variable", *shown], columns


def cell_logs_of_failures(n):
    """shows the failures alone with valid=False"""
    logs = n.pipeline.logs(limit=1000, valid=False)
    assert len(logs) == 3 + 2 * len(DEAR_HOUSES), len(logs)
    assert min(first_values(logs["out.variable"])) > LIMIT
    assert failures(n, logs) == [1] * len(logs)


def cell_logs_arrow_and_files(n):
    """has them in Arrow logs and exported files"""
    table = n.pipeline.logs(limit=10_000, arrow=True)
    column = "check_failures" if n.generation == "2023" else "anomaly.count"
    assert sum(table[column].to_pylist()) == 3 + 2 * len(DEAR_HOUSES)
    n.pipeline.export_logs(directory="exported", file_prefix="checked", limit=10_000)
    frames = [pd.read_json(f"exported/{name}", lines=True) for name in os.listdir("exported")]
    assert sum(int(count) for frame in frames for count in frame[column]) == 3 + 2 * len(DEAR_HOUSES)


@only("2023")
def cell_expressions(n):
    """checks inputs, differences, lists of values and several validations at once"""
    from wallaroo import functions

    model = n.model
    pipeline = fresh(n, "expressions")
    pipeline.add_validation("bedrooms", model.inputs[0][0].one_of(2, 3, 4))
    pipeline.add_validation("area", model.inputs[0][2] - model.inputs[0][9] <= 1000)
    pipeline.add_validation("close", functions.abs(model.outputs[0][0] - 700_000) < 100_000.5)
    pipeline.deploy()
    answer = pipeline.infer(thousand_houses().head(50))
    expected = []
    for values, value in zip(thousand_houses()["tensor"].head(50), first_values(answer["out.variable"])):
        holds = [values[0] in (2, 3, 4), values[2] - values[9] <= 1000, abs(value - 700_000) < 100_000.5]
        expected.append(holds.count(False))
    assert failures(n, answer) == expected, (failures(n, answer), expected)
    assert {0, 1, 2} <= set(expected), expected
    pipeline.undeploy()


@only("2023")
def cell_chain(n):
    """checks every model of a chain of one and the champion of a shadow deployment"""
    challenger = upload(n.wl, unique("challenger"), "xgb_model.onnx", tensor_fields=["tensor"])
    pipeline = n.wl.build_pipeline(unique("shadowed")).add_shadow_deploy(n.model, [challenger])
    pipeline.add_validation("champion", n.model.outputs[0][0] < LIMIT)
    pipeline.deploy()
    answer = pipeline.infer(pd.concat([small_house(), large_house()], ignore_index=True))
    assert failures(n, answer) == [0, 1], answer
    assert f"out_{challenger.name()}.variable" in answer.columns, list(answer.columns)
    pipeline.undeploy()


@only("2026")
def cell_several(n):
    """adds validations to a deployed pipeline, one of them compound, and shows each by its name in order"""
    n.pipeline.add_validations(too_low=price() < 300_000)
    n.pipeline.add_validations(in_between=(price() < 720_000) & (price() > 700_000))
    n.pipeline.undeploy()
    n.pipeline.deploy()
    answer = n.pipeline.infer(thousand_houses())
    named = ["anomaly.count", "anomaly.in_between", "anomaly.too_high", "anomaly.too_low"]
    assert [name for name in answer.columns if name.startswith("anomaly")] == named, list(answer.columns)
    prices = first_values(answer["out.variable"])
    assert list(answer["anomaly.too_low"]) == [value < 300_000 for value in prices]
    assert list(answer["anomaly.in_between"]) == [700_000 < value < 720_000 for value in prices]
    assert [row for row, flag in enumerate(answer["anomaly.too_high"]) if flag] == DEAR_HOUSES
    expected = [int(value < 300_000) + int(700_000 < value < 720_000) + int(value > LIMIT) for value in prices]
    assert list(answer["anomaly.count"]) == expected
    logs = n.pipeline.logs(limit=1000)
    assert sum(logs["anomaly.count"]) == sum(expected), logs
    assert list(logs["anomaly.too_low"]) == [value < 300_000 for value in first_values(logs["out.variable"])]


@only("2026")
def cell_datasets(n):
    """selects anomalies by dataset, as the tutorial does"""
    answer = n.pipeline.infer(
        large_house(), dataset_exclude=["anomaly"], dataset=["time", "in", "out", "anomaly.count"]
    )
    assert list(answer.columns) == ["time", "in.tensor", "out.variable", "anomaly.count"], list(answer.columns)
    answer = n.pipeline.infer(large_house(), dataset=["anomaly"])
    assert list(answer.columns)[0] == "anomaly.count" and answer["anomaly.too_high"][0] == True, answer  # noqa: E712
    logs = n.pipeline.logs(limit=1, dataset=["time", "anomaly.too_high"])
    assert list(logs.columns) == ["time", "anomaly.too_high"], list(logs.columns)


@only("2026")
def cell_polars(n):
    """says of each row what polars says of the answered table"""
    import polars as pl

    tensor = pl.col("in.tensor")
    validations = {
        "bedrooms": tensor.list.first().is_in([1, 6, 7]),
        "area": tensor.list.get(2).is_between(3000, 4000) & (tensor.list.get(-2) == 0),
        "per_foot": price() / tensor.list.get(2) > 500,
        "total": tensor.list.sum() // 1000 % 2 == 0,
        "cast": (price().cast(pl.Int64) % 7).is_in([0, 1]),
        "choice": pl.when(tensor.list.get(0) > 3).then(price() > 800_000).otherwise(price() > 500_000),
        "nulls": tensor.list.get(40).is_null() & ~price().is_nan(),
        "far": (price() - 539_489.5).abs() > 300_000,
        "contains": tensor.list.contains(1420) | (price().log10().floor() == 6),
        "count_of": (price() > 600_000).cast(int) + (tensor.list.get(3) > 8000).cast(int) == 2,
        "missing": pl.when(price() > 400_000).then(price()).is_null(),
    }
    pipeline = fresh(n, "polars").add_validations(**validations)
    pipeline.deploy()
    answer = pipeline.infer(thousand_houses())
    # What our answer holds in 64 bits the model took, and the checks saw, in 32.
    frame = pl.from_pandas(answer[["in.tensor", "out.variable"]]).with_columns(
        pl.col("in.tensor").cast(pl.List(pl.Float32)), pl.col("out.variable").cast(pl.List(pl.Float32))
    )
    for name, expression in validations.items():
        expected = [value is True for value in frame.select(expression.alias("x"))["x"].to_list()]
        found = [bool(value) for value in answer[f"anomaly.{name}"]]
        assert found == expected, (name, [i for i in range(1000) if found[i] != expected[i]][:10])
        assert 0 < sum(expected) < 1000 or name == "nulls", (name, sum(expected))
    pipeline.undeploy()


@only("2026")
def cell_shadow(n):
    """checks the champion of a shadow deployment"""
    challenger = upload(n.wl, unique("challenger"), "xgb_model.onnx", tensor_fields=["tensor"])
    pipeline = n.wl.build_pipeline(unique("shadowed")).add_shadow_deploy(n.model, [challenger])
    pipeline.add_validations(champion=price() > LIMIT)
    pipeline.deploy()
    answer = pipeline.infer(pd.concat([small_house(), large_house()], ignore_index=True))
    assert list(answer["anomaly.champion"]) == [False, True], answer
    assert f"out_{challenger.name()}.variable" in answer.columns, list(answer.columns)
    pipeline.undeploy()


@only("2026")
def cell_count(n):
    """lets the SDK drop a validation named count"""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        pipeline = fresh(n, "counted").add_validations(count=price() > 0, real=price() > LIMIT)
    pipeline.deploy()
    answer = pipeline.infer(large_house())
    assert answer["anomaly.count"][0] == 1 and answer["anomaly.real"][0] == True, answer  # noqa: E712
    pipeline.undeploy()


@only("2026")
def cell_refused(n):
    """refuses, when it is deployed, what a check cannot do, by its name"""
    import polars as pl

    refused = {
        "Agg.Max": price().max() > 5,
        "Agg.Mean": price() > price().mean() * 2,
        "Shift": price() > price().shift(1),
        "tensor": pl.col("tensor").list.get(0) > 1,
        "comparison": price() + 1,
    }
    for part, expression in refused.items():
        pipeline = fresh(n, "refused").add_validations(drift=expression)
        expect_error(Exception, f"(?s)Step 2 .*drift.*{part}", pipeline.deploy)


@only("2023")
def cell_refused_trees(n):
    """refuses, when it is deployed, what a check cannot do, by its name"""
    import datetime

    from wallaroo import functions

    pipeline = fresh(n, "refused").add_validation("sum", n.model.outputs[0][0] + 1)
    expect_error(Exception, "(?s)Step 2 .*sum.*no comparison", pipeline.deploy)
    pipeline = fresh(n, "refused").add_validation("text", n.model.outputs[0][0] == "dear")
    expect_error(Exception, "(?s)Step 2 .*text.*timedelta", pipeline.deploy)
    alert = functions.count(n.model.outputs[0][0] > LIMIT, datetime.timedelta(minutes=1)) > 5
    pipeline = fresh(n, "refused").add_alert("many", alert, [])
    expect_error(Exception, "(?s)alert", pipeline.deploy)


def cell_unknown_output(n):
    """fails the deployment of a check of an output that the model does not have, with the reason"""
    if n.generation == "2023":
        pipeline = fresh(n, "unknown").add_validation("third", n.model.outputs[2][0] < 1)
        pipeline.deploy()
        expect_error(Exception, "(?s)third.*outputs.2..0", lambda: pipeline.infer(small_house()))
        pipeline.undeploy()
        return
    import polars as pl

    pipeline = fresh(n, "unknown").add_validations(third=pl.col("out.third").list.get(0) < 1)
    pipeline.deploy(wait_for_status=False)
    deadline = time.monotonic() + 30
    while (status := pipeline.status())["status"] != "Error" and time.monotonic() < deadline:
        time.sleep(0.2)
    shown = json.dumps(status, default=str)
    assert status["status"] == "Error" and "out.third" in shown and "out.variable" in shown, shown
    pipeline.undeploy()


def cell_clean_up(n):
    """undeploys, and keeps the failures in the logs"""
    n.pipeline.undeploy()
    assert len(n.pipeline.logs(limit=1, valid=False)) == 1
