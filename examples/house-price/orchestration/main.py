"""Prices the houses of one BigQuery table with a deployed pipeline and writes the answers into another.

Arguments of the task: workspace_name and pipeline_name; input_connection and output_connection, whose details are the
key of a service account; input_table and output_table, each with its dataset.
"""

import wallaroo
from google.cloud import bigquery
from google.oauth2 import service_account

COLUMNS = ["time", "in_tensor", "out_variable", "check_failures"]


def main():
    print("Looking for houses without a price.")
    wl = wallaroo.Client()
    arguments = wl.task_args()
    pipeline = find_pipeline(wl, arguments["workspace_name"], arguments["pipeline_name"])
    source = open_bigquery(wl.get_connection(name=arguments["input_connection"]))
    target = open_bigquery(wl.get_connection(name=arguments["output_connection"]))
    input_table, output_table = arguments["input_table"], arguments["output_table"]

    houses = source.query(f"SELECT tensor FROM `{input_table}`").to_dataframe()
    print(f"{len(houses)} houses are in {input_table}.")

    answers = pipeline.infer(houses, dataset=["*"], dataset_separator="_")
    # The newer SDK calls the number of failed checks anomaly_count.
    answers = answers.rename(columns={"anomaly_count": "check_failures"})[COLUMNS]
    errors = target.insert_rows_from_dataframe(target.get_table(output_table), answers)
    if any(errors):
        raise RuntimeError(f"BigQuery refused rows for {output_table}: {errors}")
    prices = [float(variable[0]) for variable in answers["out_variable"]]
    print(f"{len(prices)} prices are in {output_table}, from {min(prices):,.0f} to {max(prices):,.0f} dollars.")


def find_pipeline(wl, workspace_name, pipeline_name):
    """The pipeline of that name in that workspace, which becomes the current one."""
    workspaces = [workspace for workspace in wl.list_workspaces() if workspace.name() == workspace_name]
    if not workspaces:
        raise LookupError(f"There is no workspace {workspace_name!r} among those that this task may see.")
    wl.set_current_workspace(workspaces[0])
    return wl.pipelines_by_name(pipeline_name)[0]


def open_bigquery(connection):
    account = connection.details()
    credentials = service_account.Credentials.from_service_account_info(account)
    return bigquery.Client(credentials=credentials, project=account["project_id"])


if __name__ == "__main__":
    main()
