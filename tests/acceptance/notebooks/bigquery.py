"""The BigQuery tutorial from its first line to its last: connections, an orchestration, runs at once and by schedule.

The Google clients are the real ones; EXAMPLE is the folder of the house-price example, SERVICE_ACCOUNT a key file, and
TASKS_AT_ONCE says how many tasks run at the same time in the end.
"""

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import wallaroo
from google.cloud import bigquery
from google.oauth2 import service_account
from notebook import assert_close, assert_html, deployed, expect_error, is_2023, new_workspace, statuses, unique, upload
from notebook import wait_for, word, zipped

EXAMPLE = Path(os.environ["EXAMPLE"])
ROWS = 5
OUTPUT_COLUMNS = ["time", "in_tensor", "out_variable", "check_failures"]
# Starts a child that leaves its session and refuses to be asked to stop, then does the same itself.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn", flush=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""


def outcome(task, seconds=180):
    """Waits until the newest run of the task is over."""
    wait_for("the end of a run", lambda: statuses(task) and statuses(task)[0] != "running", seconds)
    run = task.last_runs()[0]
    if word(run._status) != "success":
        print("\n".join(run.logs()))
    return word(run._status)


def output_rows(n):
    return n.bigquery.query(f"SELECT * FROM {n.dataset}.prices ORDER BY time").to_dataframe()


def processes_of(task):
    """Numbers of the processes on this machine that carry the task's id in their environment."""
    mark = f"WALLAROO_TASK_ID={task.id()}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def cell_deploy(n):
    """deploys the example's model"""
    n.wl = wallaroo.Client()
    n.workspace = new_workspace(n.wl, "bigquery")
    model = upload(n.wl, unique("house-price"), EXAMPLE / "model" / "house-price.onnx", ["tensor"])
    n.pipeline = deployed(n.wl, "house-price", model)


def cell_tables(n):
    """makes the tables with the real BigQuery client"""
    import sys

    sys.path.insert(0, str(EXAMPLE / "model"))
    from houses import make_houses

    n.account = json.loads(Path(os.environ["SERVICE_ACCOUNT"]).read_text())
    credentials = service_account.Credentials.from_service_account_info(n.account)
    n.bigquery = bigquery.Client(credentials=credentials, project=n.account["project_id"])
    n.dataset = unique("houses").replace("-", "_")
    for statement in (
        f"CREATE SCHEMA {n.dataset}",
        f"CREATE TABLE {n.dataset}.houses (tensor ARRAY<FLOAT64>)",
        f"CREATE TABLE {n.dataset}.prices (time DATETIME, in_tensor ARRAY<FLOAT64>, "
        "out_variable ARRAY<FLOAT64>, check_failures INT64)",
    ):
        n.bigquery.query(statement).result()
    n.houses, n.market_prices = make_houses(ROWS, seed=3)
    table = n.bigquery.get_table(f"{n.dataset}.houses")
    errors = n.bigquery.insert_rows_from_dataframe(table, pd.DataFrame({"tensor": n.houses.astype(float).tolist()}))
    assert not any(errors), errors


def cell_connections(n):
    """creates connections, and gives their details back to a member"""
    n.connections = {role: unique(f"bigquery-{role}") for role in ("input", "output")}
    for name in n.connections.values():
        created = n.wl.create_connection(name, "BIGQUERY", n.account)
        assert created.name() == name and created.connection_type() == "BIGQUERY"
        n.workspace.add_connection(name)
    found = n.wl.get_connection(name=n.connections["input"])
    assert found.details() == n.account
    assert_html(found, n.connections["input"])
    assert n.account["private_key"][:60] not in found._repr_html_()


def cell_duplicate_connection(n):
    """refuses a second connection of the same name"""
    pattern = "Failed to create connection" if is_2023() else "already exists"
    expect_error(Exception, pattern, lambda: n.wl.create_connection(n.connections["input"], "BIGQUERY", {}))
    assert n.wl.get_connection(name=n.connections["input"]).details() == n.account


def cell_list_connections(n):
    """lists them, for the platform and for the workspace"""
    names = set(n.connections.values())
    assert names <= {connection.name() for connection in n.wl.list_connections()}
    linked = n.workspace.list_connections()
    assert {connection.name() for connection in linked} == names
    assert_html(linked, *names)


def cell_packaging(n):
    """packages an uploaded orchestration"""
    files = {name: (EXAMPLE / "orchestration" / name).read_text() for name in ("main.py", "requirements.txt")}
    started = time.monotonic()
    with open("house-price.zip", "wb") as file:
        file.write(zipped(files))
    n.orchestration = n.wl.upload_orchestration(path="house-price.zip", name=unique("house-price"))
    status = wait_for("packaging", lambda: n.orchestration.status() in ("ready", "error") and n.orchestration.status(), 600)
    print(f"packaged in {time.monotonic() - started:.1f} s")
    assert status == "ready", status
    assert_html(n.orchestration, n.orchestration.name())
    assert n.orchestration.id() in [each.id() for each in n.wl.list_orchestrations()]


def cell_packaging_error(n):
    """ends the packaging of a requirement that does not exist as an error"""
    content = zipped({"main.py": "print('never')\n", "requirements.txt": "db-dtypes==0.0.0.1\n"})
    broken = n.wl.upload_orchestration(bytes_buffer=content, name=unique("broken"), file_name="broken.zip")
    status = wait_for("an end of packaging", lambda: broken.status() in ("ready", "error") and broken.status(), 120)
    assert status == "error", status


def arguments(n, **more):
    return {
        "workspace_name": n.workspace.name(),
        "pipeline_name": n.pipeline.name(),
        "input_connection": n.connections["input"],
        "output_connection": n.connections["output"],
        "input_table": f"{n.dataset}.houses",
        "output_table": f"{n.dataset}.prices",
        **more,
    }


def cell_run_once(n):
    """runs it once, to success"""
    started = time.monotonic()
    n.task = n.orchestration.run_once(name=unique("once"), json_args=arguments(n))
    wait_for("the task to start", lambda: word(n.task.status()) == "started", 60)
    assert outcome(n.task) == "success"
    print(f"run once, over after {time.monotonic() - started:.1f} s")
    # `started` stays: notebooks wait for it without looking at the runs.
    assert word(n.task.status()) == "started"
    assert_html(n.task, n.task.name())
    assert_html(n.task.last_runs(), "success")


def cell_output_table(n):
    """has written time, in_tensor, out_variable and check_failures into the output table"""
    rows = output_rows(n)
    assert list(rows.columns) == OUTPUT_COLUMNS, list(rows.columns)
    assert len(rows) == ROWS, rows
    assert rows["check_failures"].tolist() == [0] * ROWS
    age = datetime.now(timezone.utc).replace(tzinfo=None) - rows["time"].iloc[0].to_pydatetime()
    assert abs(age.total_seconds()) < 300, rows["time"]
    # The model takes 32-bit floats, and that is how precisely its input is told.
    by_house = {tuple(np.float32(row.in_tensor)): row.out_variable for row in rows.itertuples()}
    direct = n.pipeline.infer(pd.DataFrame({"tensor": n.houses.astype(float).tolist()}))
    for house, market, variable in zip(n.houses, n.market_prices, direct["out.variable"]):
        (price,) = by_house[tuple(house)]
        assert_close([price], variable)
        # The model knows this market: a third off is far outside what it errs.
        assert abs(price - market) / market < 0.34, (price, market)


def cell_run_log(n):
    """keeps what the run printed, each line with its time and stream"""
    run = n.task.last_runs()[0]
    logs = run.logs()
    texts = [line.split(" ", 3) for line in logs]
    assert all(len(text) == 4 and text[1] in ("stdout", "stderr") and text[2] == "F" for text in texts), logs
    said = [text[3].rstrip() for text in texts if text[1] == "stdout"]
    assert said[0] == "Looking for houses without a price.", said
    assert said[-1].startswith(f"{ROWS} prices are in {n.dataset}.prices"), said
    assert not any("PRIVATE KEY" in line for line in logs)
    assert len(run.logs(limit=1)) == 1 and run.logs(limit=1)[0] == logs[-1]
    assert_html(logs, "Looking for houses")
    assert_html(run, "success")


def cell_failing_run(n):
    """shows a failing main.py's traceback and ends its run as a failure"""
    task = n.orchestration.run_once(name=unique("failing"), json_args=arguments(n, workspace_name="no such workspace"))
    wait_for("a failed run", lambda: statuses(task) == ["failure"], 180)
    log = "\n".join(task.last_runs()[0].logs())
    assert "Looking for houses" in log and "Traceback" in log and "no such workspace" in log, log
    assert word(task.status()) == "started"


def cell_schedule(n):
    """runs it by a schedule on the minute"""
    task = n.orchestration.run_scheduled(name=unique("minutely"), schedule="* * * * *", json_args=arguments(n), timeout=300)
    before = len(output_rows(n))
    wait_for("the task to start", lambda: word(task.status()) == "started", 90)
    wait_for("the schedule's first run", task.last_runs, 90)
    assert outcome(task) == "success"
    first = task.last_runs()[-1]
    assert first._created_at.second < 10, first._created_at
    print(f"the slot's run was made at second {first._created_at.second} of the minute")
    assert len(output_rows(n)) >= before + ROWS
    assert_html(task, "* * * * *")
    assert word(task.kill()) == "pending_kill"
    assert task.id() not in [each.id() for each in n.wl.list_tasks()]
    assert task.id() in [each.id() for each in n.wl.list_tasks(killed=True)]


def cell_kill(n):
    """kills a run that refuses to stop, and leaves no process of it"""
    content = zipped({"main.py": STUBBORN, "requirements.txt": ""})
    stubborn = n.wl.upload_orchestration(bytes_buffer=content, name=unique("stubborn"), file_name="stubborn.zip")
    wait_for("packaging", lambda: stubborn.status() == "ready", 300)
    task = stubborn.run_once(name=unique("stubborn"))
    wait_for("its first line", lambda: task.last_runs() and "stubborn" in "".join(task.last_runs()[0].logs()), 60)
    wait_for("its child", lambda: len(processes_of(task)) >= 2, 30)
    assert word(task.kill()) == "pending_kill"
    started = time.monotonic()
    wait_for("the end of its processes", lambda: not processes_of(task), 30)
    print(f"no process left {time.monotonic() - started:.1f} s after the kill")
    wait_for("the end of its run", lambda: statuses(task)[0] != "running", 30)
    assert statuses(task) == ["failure" if is_2023() else "killed"], statuses(task)
    assert word(task.status()) == "pending_kill", task.status()


def cell_at_once(n):
    """runs many tasks at once, each to success with its rows"""
    count = int(os.environ["TASKS_AT_ONCE"])
    before = len(output_rows(n))
    started = time.monotonic()
    tasks = [n.orchestration.run_once(name=unique("one-of-many"), json_args=arguments(n)) for _ in range(count)]
    assert len({task.id() for task in tasks}) == count
    assert [outcome(task, seconds=600) for task in tasks] == ["success"] * count
    print(f"{count} tasks at once took {time.monotonic() - started:.1f} s")
    assert all(len(task.last_runs()) == 1 for task in tasks)
    assert len(output_rows(n)) == before + count * ROWS


def cell_forget(n):
    """removes and deletes a connection, and creates it again under its name"""
    name = n.connections["output"]
    n.workspace.remove_connection(name)
    assert name not in [connection.name() for connection in n.workspace.list_connections()]
    n.wl.get_connection(name=name).delete_connection()
    assert name not in [connection.name() for connection in n.wl.list_connections()]
    again = n.wl.create_connection(name, "BIGQUERY", {"another": "key"})
    assert again.details() == {"another": "key"}
    again.delete_connection()
    n.pipeline.undeploy()
