"""The house-price tutorial: workspace, pipeline, upload, deploy, infer in every form, logs in every form, undeploy."""

import datetime
import json
import os
import time

import pandas as pd
import pyarrow as pa
import wallaroo
from notebook import (
    FIRST_HOUSE_PRICE,
    HOUSE_PRICES,
    LARGE_HOUSE,
    LARGE_HOUSE_PRICE,
    asset,
    assert_close,
    assert_thousand_house_prices,
    deployed,
    expect_error,
    first_values,
    new_workspace,
    only,
    unique,
    upload,
)


def failures_column(n):
    return "check_failures" if n.generation == "2023" else "anomaly.count"


def read_arrow(name):
    with pa.ipc.open_file(str(asset(name))) as reader:
        return reader.read_all()


def cell_log_in(n):
    """logs in with the user's e-mail and password from the environment"""
    n.wl = wallaroo.Client()
    assert len(n.wl.list_workspaces()) >= 0


def cell_default_workspace(n):
    """gives a new user a default workspace of his own"""
    workspace = n.wl.get_current_workspace()
    assert workspace.id() == n.wl.get_current_workspace().id()
    assert "Default Workspace" in workspace.name(), workspace.name()


def cell_workspace(n):
    """creates a workspace that is listed and can be made current"""
    n.workspace = new_workspace(n.wl, "house-price")
    assert n.wl.get_current_workspace().id() == n.workspace.id()
    assert n.workspace.name() in [workspace.name() for workspace in n.wl.list_workspaces()]
    assert n.workspace.archived() is False


def cell_upload(n):
    """uploads the ONNX model, whose version is ready, hashed and in the workspace"""
    n.model = upload(n.wl, unique("house-price-rf"), "rf_model.onnx", tensor_fields=["tensor"])
    assert str(n.model.status()).lower().endswith("ready"), n.model.status()
    assert n.model.sha() == "e22a0831aafd9917f3cc87a15ed267797f80e2afa12ad7d8810ca58f173b8cc6"
    assert n.model.file_name() == "rf_model.onnx"
    names = [model.name() for model in n.wl.list_models()]
    assert names == [n.model.name()], names


def cell_deploy(n):
    """deploys to Running"""
    started = time.monotonic()
    n.pipeline = deployed(n.wl, "house-price", n.model)
    print(f"deploy() returned after {time.monotonic() - started:.2f} s")
    status = n.pipeline.status()
    assert status["status"] == "Running", status
    engine = status["engines"][0]
    assert engine["model_statuses"]["models"][0]["name"] == n.model.name(), engine


def cell_infer_one_row(n):
    """answers one row of a DataFrame"""
    n.first_time = datetime.datetime.now(datetime.timezone.utc)
    answer = n.pipeline.infer(pd.read_json(str(asset("data/xtest-1.df.json"))))
    assert list(answer.columns) == ["time", "in.tensor", "out.variable", failures_column(n)], list(answer.columns)
    assert_close(first_values(answer["out.variable"]), [FIRST_HOUSE_PRICE])
    assert answer[failures_column(n)][0] == 0
    assert len(answer["in.tensor"][0]) == 18
    assert abs(answer["time"][0].timestamp() - time.time()) < 30, answer["time"][0]


def cell_infer_thousand_rows(n):
    """answers 1,000 rows of a DataFrame"""
    answer = n.pipeline.infer(pd.read_json(str(asset("data/xtest-1k.df.json"))))
    assert_thousand_house_prices(first_values(answer["out.variable"]))


def cell_infer_arrow(n):
    """answers 1,000 rows of an Arrow table with an Arrow table"""
    table = read_arrow("data/xtest-1k.arrow")
    answer = n.pipeline.infer(table)
    assert isinstance(answer, pa.Table)
    assert answer.column_names == ["time", "in.tensor", "out.variable", failures_column(n)], answer.column_names
    assert answer.num_rows == 1000
    assert_thousand_house_prices(first_values(answer["out.variable"].to_pylist()))
    assert_close(answer["in.tensor"][999].as_py(), table["tensor"][999].as_py())


def cell_infer_from_file(n):
    """answers files of both formats"""
    from_json = n.pipeline.infer_from_file(str(asset("data/xtest-1.df.json")))
    assert_close(first_values(from_json["out.variable"]), [FIRST_HOUSE_PRICE])
    from_arrow = n.pipeline.infer_from_file(str(asset("data/xtest-1k.arrow")))
    assert_thousand_house_prices(first_values(from_arrow["out.variable"].to_pylist()))


def cell_infer_dictionary(n):
    """answers the classic dictionary form"""
    answer = n.pipeline.infer({"tensor": [LARGE_HOUSE]})
    assert len(answer) == 1, answer
    element = answer[0]
    assert element["model_name"] == n.model.name() and element["pipeline_name"] == n.pipeline.name(), element
    output = element["outputs"][0]["Float"]
    assert output["dim"] == [1, 1], output
    assert_close(output["data"], [LARGE_HOUSE_PRICE])
    assert element["check_failures"] == []


def cell_infer_datasets(n):
    """selects columns by dataset, exclusion and separator"""
    row = pd.read_json(str(asset("data/xtest-1.df.json")))
    only_out = n.pipeline.infer(row, dataset=["time", "out"])
    assert "out.variable" in only_out.columns and "in.tensor" not in only_out.columns, list(only_out.columns)
    without = n.pipeline.infer(row, dataset_exclude=["in"])
    assert "in.tensor" not in without.columns, list(without.columns)
    other = n.pipeline.infer(row, dataset_separator="_")
    assert "out_variable" in other.columns and "in_tensor" in other.columns, list(other.columns)
    metadata = n.pipeline.infer(row, dataset=["*", "metadata"])
    last_model = json.loads(metadata["metadata.last_model"][0])
    assert last_model["model_name"] == n.model.name() and last_model["model_sha"] == n.model.sha(), last_model
    elapsed = metadata["metadata.elapsed"][0]
    assert len(elapsed) == 2 and all(isinstance(int(part), int) for part in elapsed), elapsed


def cell_logs_newest_first(n):
    """shows the logs newest first, limited to 100 without a limit"""
    logs = n.pipeline.logs()
    assert len(logs) == 100, len(logs)
    assert list(logs.columns)[0] == "time" and "out.variable" in logs.columns, list(logs.columns)
    assert logs["time"].is_monotonic_decreasing
    assert len(n.pipeline.logs(limit=3)) == 3


def cell_logs_all(n):
    """holds every row that was answered, once"""
    # one row, 1,000, 1,000 Arrow, 1 + 1,000 from files, the dictionary, four datasets
    n.expected_rows = 1 + 1000 + 1000 + 1001 + 1 + 4
    logs = n.pipeline.logs(limit=100000)
    assert len(logs) == n.expected_rows, (len(logs), n.expected_rows)
    oldest = logs.iloc[-1]
    assert_close([oldest["out.variable"][0]], [FIRST_HOUSE_PRICE])


def cell_logs_window(n):
    """shows a time window oldest first"""
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)
    logs = n.pipeline.logs(start_datetime=n.first_time, end_datetime=end, limit=20000)
    assert len(logs) == n.expected_rows, len(logs)
    assert logs["time"].is_monotonic_increasing
    before = n.pipeline.logs(
        start_datetime=n.first_time - datetime.timedelta(hours=2), end_datetime=n.first_time - datetime.timedelta(hours=1)
    )
    assert len(before) == 0, before
    expect_error(Exception, "(?i)datetime", lambda: n.pipeline.logs(start_datetime=n.first_time))


def cell_logs_arrow(n):
    """gives the logs as an Arrow table"""
    logs = n.pipeline.logs(limit=1010, arrow=True)
    assert isinstance(logs, pa.Table) and logs.num_rows == 1010
    assert "out.variable" in logs.column_names, logs.column_names


def cell_logs_datasets(n):
    """selects columns of the logs by dataset, exclusion and separator"""
    outputs = n.pipeline.logs(limit=5, dataset=["time", "out.variable"])
    assert list(outputs.columns) == ["time", "out.variable"], list(outputs.columns)
    without = n.pipeline.logs(limit=5, dataset_exclude=["in"])
    assert not [name for name in without.columns if name.startswith("in.")], list(without.columns)
    other = n.pipeline.logs(limit=5, dataset_separator="_")
    assert "out_variable" in other.columns, list(other.columns)
    metadata = n.pipeline.logs(limit=1, dataset=["*", "metadata"])
    assert json.loads(metadata["metadata.last_model"][0])["model_name"] == n.model.name()


def cell_logs_of_failures(n):
    """has no failures in the log of failures"""
    assert len(n.pipeline.logs(valid=False)) == 0


def cell_export_logs(n):
    """exports the logs to files that hold every row"""
    n.pipeline.export_logs(directory="exported", file_prefix="house", limit=100000)
    files = sorted(os.listdir("exported"))
    rows = sum(len(pd.read_json(f"exported/{name}", lines=True)) for name in files)
    assert rows == n.expected_rows, (files, rows)
    n.pipeline.export_logs(directory="exported-arrow", file_prefix="house", limit=100000, arrow=True)
    rows = 0
    for name in os.listdir("exported-arrow"):
        with pa.ipc.open_file(f"exported-arrow/{name}") as reader:
            rows += reader.read_all().num_rows
    assert rows == n.expected_rows, rows


def cell_raw_logs(n):
    """gives raw logs of the topic, nested"""
    topic = n.wl.get_topic_name(n.pipeline.id())
    assert isinstance(topic, str) and topic
    logs = n.wl.get_raw_logs(topic)
    assert len(logs) == n.expected_rows, len(logs)
    row = logs.iloc[0]
    assert_close([row["out"]["variable"][0]], [FIRST_HOUSE_PRICE])
    assert json.loads(row["metadata"]["last_model"])["model_name"] == n.model.name()


def cell_model_logs(n):
    """shows the log of the model"""
    answer = n.model.logs(limit=7)
    logs = answer[0] if isinstance(answer, tuple) else answer
    assert len(logs) == 7, logs


def cell_logs_follow_inference(n):
    """has a row in the log as soon as it is answered"""
    n.pipeline.infer(pd.DataFrame({"tensor": [LARGE_HOUSE]}))
    newest = n.pipeline.logs(limit=1)
    assert_close(first_values(newest["out.variable"]), [LARGE_HOUSE_PRICE])


def cell_infer_own_input_name(n):
    """takes the model's own input name, and a string column that is not the model's"""
    row = pd.read_json(str(asset("data/xtest-1.df.json")))
    renamed = row.rename(columns={"tensor": "float_input"})
    answer = n.pipeline.infer(renamed)
    assert_close(first_values(answer["out.variable"]), [FIRST_HOUSE_PRICE])
    assert "in.float_input" in answer.columns, list(answer.columns)
    with_index = pd.DataFrame({"index": ["row 7"], "tensor": [row["tensor"][0]]})
    answer = n.pipeline.infer(with_index)
    assert_close(first_values(answer["out.variable"]), [FIRST_HOUSE_PRICE])
    assert answer["in.index"][0] == "row 7", answer


def cell_logs_schema_change(n):
    """ends a page of the logs where the columns change, while an export goes on"""
    newest = n.pipeline.logs(limit=100000)
    assert len(newest) == 1 and newest["in.index"][0] == "row 7", newest
    n.pipeline.export_logs(directory="exported-all", file_prefix="house", limit=100000)
    rows = sum(len(pd.read_json(f"exported-all/{name}", lines=True)) for name in os.listdir("exported-all"))
    assert rows == n.expected_rows + 3, (rows, os.listdir("exported-all"))


@only("2026")
def cell_parallel_inference(n):
    """answers parallel and asynchronous inference of the 2026 SDK"""
    import asyncio

    import httpx

    async def both():
        data = pd.read_json(str(asset("data/xtest-1k.df.json"))).head(20)
        parallel = await n.pipeline.parallel_infer(tensor=data, batch_size=5, num_parallel=4, timeout=20, retries=1)
        async with httpx.AsyncClient() as client:
            single = await n.pipeline.async_infer(tensor=data.head(1), async_client=client, timeout=20, retries=1)
        return parallel, single

    parallel, single = asyncio.run(both())
    assert_close(first_values(parallel["out.variable"])[:5], HOUSE_PRICES)
    assert_close(first_values(single["out.variable"]), [FIRST_HOUSE_PRICE])


def cell_redeploy(n):
    """redeploys a running pipeline at once and keeps its address"""
    url = n.pipeline.url()
    started = time.monotonic()
    n.pipeline.deploy()
    print(f"redeploy() returned after {time.monotonic() - started:.2f} s")
    assert n.pipeline.url() == url
    answer = n.pipeline.infer(pd.DataFrame({"tensor": [LARGE_HOUSE]}))
    assert_close(first_values(answer["out.variable"]), [LARGE_HOUSE_PRICE])


def cell_undeploy(n):
    """undeploys, after which an inference is refused and the logs stay"""
    n.pipeline.undeploy()
    expect_error(Exception, "(?i)deploy|not found", lambda: n.pipeline.infer(pd.DataFrame({"tensor": [LARGE_HOUSE]})))
    assert len(n.pipeline.logs(limit=1)) == 1


def cell_deploy_again(n):
    """deploys a pipeline found by its name again, from its stored definition"""
    found = n.wl.pipelines_by_name(n.pipeline.name())[0]
    assert found.id() == n.pipeline.id()
    found.deploy()
    answer = found.infer(pd.DataFrame({"tensor": [LARGE_HOUSE]}))
    assert_close(first_values(answer["out.variable"]), [LARGE_HOUSE_PRICE])
    found.undeploy()
