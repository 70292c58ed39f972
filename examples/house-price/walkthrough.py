"""The tutorial itself: what a data scientist types with the official SDK, from an empty workspace to scheduled prices.

`npm run tutorial` starts what it needs and gives it, in the environment, the SDK's own settings and
TUTORIAL_SERVICE_ACCOUNT, the path of a service account's key.
"""

import io
import json
import os
import time
import zipfile
from pathlib import Path

import pandas as pd
import wallaroo
from google.cloud import bigquery
from google.oauth2 import service_account
from model.houses import FEATURES, make_houses, price_of
from wallaroo.framework import Framework

HERE = Path(__file__).parent
NAME = "house-price"
HOUSES = 12


def main():
    started = time.monotonic()
    headline("Log in and take a workspace")
    wl = wallaroo.Client()
    workspace = wl.get_workspace(NAME, create_if_not_exist=True)
    wl.set_current_workspace(workspace)
    say(f"Workspace {workspace.name()} (number {workspace.id()}) is the current one.")

    pipeline = deploy_model(wl)
    account = json.loads(Path(os.environ["TUTORIAL_SERVICE_ACCOUNT"]).read_text())
    client = open_bigquery(account)
    dataset = fill_tables(client)
    connections = create_connections(wl, workspace, account)
    orchestration = upload_orchestration(wl)
    arguments = {
        "workspace_name": workspace.name(),
        "pipeline_name": pipeline.name(),
        "input_table": f"{dataset}.houses",
        "output_table": f"{dataset}.prices",
        **connections,
    }
    run_now(orchestration, arguments)
    run_on_schedule(orchestration, arguments)
    show_results(client, dataset)
    pipeline.undeploy()
    say(f"\nThe whole tutorial took {time.monotonic() - started:.0f} s.")


def deploy_model(wl):
    headline("Upload the model, build a pipeline round it and deploy that")
    model = wl.upload_model(NAME, str(HERE / "model" / "house-price.onnx"), framework=Framework.ONNX)
    pipeline = wl.build_pipeline(NAME)
    pipeline.clear()
    pipeline.add_model_step(model.configure(tensor_fields=["tensor"]))
    with timed("Deployed"):
        pipeline.deploy()
    houses, _ = make_houses(count=1, seed=7)
    answer = pipeline.infer(pd.DataFrame({"tensor": houses.tolist()}))
    say(f"A first house is worth {answer['out.variable'][0][0]:,.0f} dollars.")
    return pipeline


def open_bigquery(account):
    credentials = service_account.Credentials.from_service_account_info(account)
    return bigquery.Client(credentials=credentials, project=account["project_id"])


def fill_tables(client):
    headline(f"Put {HOUSES} houses without a price into BigQuery")
    dataset = f"tutorial_{int(time.time())}"
    for statement in (
        f"CREATE SCHEMA {dataset}",
        f"CREATE TABLE {dataset}.houses (tensor ARRAY<FLOAT64>)",
        f"CREATE TABLE {dataset}.prices (time DATETIME, in_tensor ARRAY<FLOAT64>, "
        "out_variable ARRAY<FLOAT64>, check_failures INT64)",
    ):
        client.query(statement).result()
    houses, _ = make_houses(HOUSES, seed=int(time.time()))
    table = client.get_table(f"{dataset}.houses")
    errors = client.insert_rows_from_dataframe(table, pd.DataFrame({"tensor": houses.astype(float).tolist()}))
    assert not any(errors), errors
    say(f"Tables houses and prices are in dataset {dataset}.")
    return dataset


def create_connections(wl, workspace, account):
    headline("Create the connections that the task will use")
    names = {}
    for role in ("input", "output"):
        name = f"{NAME}-{role}"
        # One left by an earlier tutorial holds the key of an emulator that is gone.
        if name in [connection.name() for connection in wl.list_connections()]:
            wl.get_connection(name).delete_connection()
        wl.create_connection(name, "BIGQUERY", account)
        workspace.add_connection(name)
        names[f"{role}_connection"] = name
        say(f"Connection {name} holds the key of a service account, encrypted.")
    return names


def upload_orchestration(wl):
    headline("Upload the orchestration and wait until it is packaged")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("main.py", "requirements.txt"):
            file.write(HERE / "orchestration" / name, name)
    with timed("Packaged"):
        orchestration = wl.upload_orchestration(bytes_buffer=archive.getvalue(), name=NAME, file_name=f"{NAME}.zip")
        wait_until(lambda: orchestration.status() in ("ready", "error"), "the orchestration is packaged", seconds=600)
    if orchestration.status() == "error":
        raise SystemExit("The orchestration could not be packaged; the worker's log says why.")
    return orchestration


def run_now(orchestration, arguments):
    headline("Run it once")
    with timed("Finished"):
        task = orchestration.run_once(name="prices now", json_args=arguments)
        run = finished_run(task)
    show_log(run)


def run_on_schedule(orchestration, arguments):
    headline("Run it at every full minute")
    task = orchestration.run_scheduled(
        name="prices by the minute", schedule="* * * * *", json_args=arguments, timeout=120
    )
    say("Waiting for the next full minute …")
    wait_until(task.last_runs, "the schedule's first run", seconds=90)
    say(f"A run began; it is {time.strftime('%H:%M:%S')}.")
    run = finished_run(task)
    show_log(run)
    say(f"The schedule is ended: {task.kill().value}.")


def finished_run(task):
    """The task's first run, when it is over; ends the tutorial with the run's log when it failed."""
    runs_that = lambda outcome: task.last_runs(status=outcome)
    wait_until(lambda: runs_that("success") or runs_that("failure"), f"a run of {task.name()} is over", seconds=180)
    if runs_that("failure"):
        show_log(runs_that("failure")[-1])
        raise SystemExit(
            "The run failed. If it could not reach BigQuery, the running platform was started without the settings "
            "that examples/house-price/README.md names."
        )
    return runs_that("success")[-1]


def show_log(run):
    for line in run.logs():
        # A line is "<time> <stream> F <text>".
        say("  │ " + line.split(" ", 3)[-1].rstrip())


def show_results(client, dataset):
    headline("What is in the table of prices")
    prices = client.query(f"SELECT * FROM {dataset}.prices ORDER BY time DESC LIMIT {HOUSES}").to_dataframe()
    houses = pd.DataFrame(prices["in_tensor"].tolist(), columns=list(FEATURES))
    table = houses[["bedrooms", "bathrooms", "living_area_m2", "grade", "age_years", "distance_km"]].round(1)
    table["predicted"] = [f"{variable[0]:,.0f}" for variable in prices["out_variable"]]
    table["market"] = [f"{price:,.0f}" for price in price_of(houses.to_numpy())]
    table["check_failures"] = prices["check_failures"].astype(int)
    table.insert(0, "priced at", prices["time"].dt.strftime("%H:%M:%S"))
    say(table.to_string(index=False))
    total = list(client.query(f"SELECT COUNT(*) FROM {dataset}.prices").result())[0][0]
    say(f"\n{total} rows: {HOUSES} of the run by hand and {HOUSES} of the schedule.")
    assert total == 2 * HOUSES, total


class timed:
    """Says how long the steps inside took."""

    def __init__(self, what):
        self.what = what

    def __enter__(self):
        self.started = time.monotonic()

    def __exit__(self, kind, *_):
        if kind is None:
            say(f"{self.what} in {time.monotonic() - self.started:.1f} s.")


def wait_until(is_so, what, seconds):
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"Waited {seconds} s in vain until {what}.")
        time.sleep(0.25)


steps = iter(range(1, 100))


def headline(text):
    print(f"\n{next(steps)}. {text}", flush=True)


def say(text):
    print("\n".join(f"   {line}" for line in text.split("\n")), flush=True)


if __name__ == "__main__":
    main()
