"""Pipelines of every kind of step: shadow deployments, splits, audits, selections, averages and column steps."""

import json
import time

import pandas as pd
import pyarrow as pa
import wallaroo
from notebook import (
    HOUSE_PRICES,
    asset,
    assert_close,
    expect_error,
    first_values,
    is_2023,
    new_workspace,
    only,
    unique,
    upload,
)
from wallaroo.pipeline_config import Average, ColumnsSelect, ColumnsToRows, ModelForStep, RowsToModels, RowToModel

# Each model on the same rows by ONNX Runtime itself.
SMOKE = {"keras": 0.001497417688369751, "xgb": 0.0005066990852355957, "model_a": 1.0}
HIGH_FRAUD = {"keras": 0.9811990261077881, "xgb": 0.5462360978126526, "model_a": 1.0}
GBR_PRICES = [704901.9375, 695994.4375, 416164.8125, 655277.1875, 426854.65625]
AVERAGE_PRICES = [711457.78125, 655544.53125, 432396.3125, 706995.75, 470059.65625]


def smoke():
    return pd.read_json(str(asset("cc/smoke_test.df.json")))


def high_fraud():
    return pd.read_json(str(asset("cc/dev_high_fraud.json")))


def houses():
    return pd.read_json(str(asset("data/xtest-1k.df.json"))).head(5)


def pipeline(n, name):
    """A new pipeline in place of the previous one, so that one deployment at a time is alive."""
    previous = n.__dict__.get("deployed")
    if previous is not None:
        n.deployed = None
        previous.undeploy()
    return n.wl.build_pipeline(unique(name))


def deploy(n, built):
    built.deploy()
    n.deployed = built
    return built


def infer_with(n, column, tensor, **options):
    """An answer that has the column: on a busy machine a challenger may be late and is left out of an answer then."""
    for _ in range(20):
        answer = n.deployed.infer(tensor, **options)
        names = answer.column_names if isinstance(answer, pa.Table) else list(answer.columns)
        if column in names:
            return answer
        time.sleep(1)
    raise AssertionError(f"no answer has {column!r}: {names}")


def split_name(n, marks):
    """The model's name as notebooks of the generation read it."""
    assert len(marks) == 1, marks
    mark = json.loads(marks[0])
    return mark["name"] if n.generation == "2023" else mark["model_version"]["name"]


def cell_set_up(n):
    """uploads the models of the shadow and house-price tutorials"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "steps")
    n.keras = upload(n.wl, unique("ccfraudkeras"), "keras_ccfraud.onnx")
    n.xgb = upload(n.wl, unique("ccfraudxgb"), "xgboost_ccfraud.onnx")
    n.model_a = upload(n.wl, unique("ccfraudrf"), "modelA.onnx")
    n.rf = upload(n.wl, unique("house-rf"), "rf_model.onnx")
    n.gbr = upload(n.wl, unique("house-gbr"), "gbr_model.onnx")


def cell_shadow_deploy(n):
    """answers the champion first and the challengers beside it, whatever their inputs are called"""
    deploy(n, pipeline(n, "shadow").add_shadow_deploy(n.keras, [n.model_a, n.xgb]))
    n.model_a_column = f"out_{n.model_a.name()}.variable"
    n.xgb_column = f"out_{n.xgb.name()}.variable"
    answer = infer_with(n, n.xgb_column, smoke())
    assert list(answer.columns)[:3] == ["time", "in.tensor", "out.dense_1"], list(answer.columns)
    assert [name for name in answer.columns if name.startswith("out_")] == [n.model_a_column, n.xgb_column]
    assert_close(first_values(answer["out.dense_1"]), [SMOKE["keras"]])
    assert_close(first_values(answer[n.model_a_column]), [SMOKE["model_a"]])
    assert_close(first_values(answer[n.xgb_column]), [SMOKE["xgb"]])
    by_own_name = infer_with(n, n.xgb_column, high_fraud())
    assert list(high_fraud().columns) == ["dense_input"]
    assert_close(first_values(by_own_name["out.dense_1"]), [HIGH_FRAUD["keras"]])
    assert_close(first_values(by_own_name[n.xgb_column]), [HIGH_FRAUD["xgb"]])


def cell_shadow_arrow(n):
    """answers 1,000 rows of Arrow with the challengers"""
    with pa.ipc.open_file(str(asset("cc/cc_data_1k.arrow"))) as reader:
        table = reader.read_all()
    answer = infer_with(n, n.xgb_column, table)
    assert answer.num_rows == table.num_rows
    assert n.model_a_column in answer.column_names, answer.column_names
    assert all(value == [1.0] for value in answer[n.model_a_column].to_pylist())
    assert_close(first_values(answer["out.dense_1"].to_pylist())[:1], [0.993003249168396])
    n.arrow_rows = table.num_rows


def cell_shadow_dictionary(n):
    """answers the classic form with the challengers as shadow data"""
    for _ in range(20):
        element = n.deployed.infer({"tensor": smoke()["tensor"].tolist()})[0]
        if len(element["shadow_data"]) == 2:
            break
        time.sleep(1)
    assert element["model_name"] == n.keras.name(), element
    assert_close(element["outputs"][0]["Float"]["data"], [SMOKE["keras"]])
    assert_close(element["shadow_data"][n.xgb.name()][0]["Float"]["data"], [SMOKE["xgb"]])


def cell_shadow_datasets(n):
    """selects the results of a challenger by its group"""
    answer = infer_with(n, n.xgb_column, smoke(), dataset=["time", f"out_{n.xgb.name()}"])
    assert [name for name in answer.columns if name.startswith(("in", "out"))] == [n.xgb_column], list(answer.columns)
    metadata = infer_with(n, n.xgb_column, smoke(), dataset=["*", "metadata"])
    assert json.loads(metadata["metadata.last_model"][0])["model_name"] == n.keras.name()
    assert list(metadata["metadata.dropped"][0]) == [], metadata["metadata.dropped"]


def cell_shadow_logs(n):
    """has the challengers in the logs in each of their forms"""
    infer_with(n, n.xgb_column, smoke())
    logs = n.deployed.logs(limit=1)
    assert_close(first_values(logs["out.dense_1"]), [SMOKE["keras"]])
    assert_close(first_values(logs[n.model_a_column]), [SMOKE["model_a"]])
    assert_close(first_values(logs[n.xgb_column]), [SMOKE["xgb"]])
    only_xgb = n.deployed.logs(limit=1, dataset=["time", f"out_{n.xgb.name()}"])
    assert list(only_xgb.columns) == ["time", n.xgb_column], list(only_xgb.columns)
    without = n.deployed.logs(limit=1, dataset_exclude=[f"out_{n.xgb.name()}"])
    assert n.model_a_column in without.columns and n.xgb_column not in without.columns, list(without.columns)
    table = n.deployed.logs(limit=1, arrow=True)
    assert n.xgb_column in table.column_names, table.column_names
    n.deployed.export_logs(directory="shadow", file_prefix="shadow", limit=1)
    exported = pd.read_json("shadow/shadow-1.json", lines=True)
    assert_close(first_values(exported[n.xgb_column]), [SMOKE["xgb"]])
    raw = n.wl.get_raw_logs(n.wl.get_topic_name(n.deployed.id()))
    shadowed = [row for row in raw[f"out_{n.xgb.name()}"] if row is not None]
    assert_close(shadowed[-1]["variable"], [SMOKE["xgb"]])


def cell_challenger_logs(n):
    """shows the rows of a shadow deployment under each of its models"""
    for model in [n.keras, n.xgb, n.model_a]:
        answer = model.logs(limit=1)
        logs = answer[0] if isinstance(answer, tuple) else answer
        assert len(logs) == 1, (model.name(), logs)


def cell_audit_and_select(n):
    """logs the results that are audited and answers the one that is selected"""
    built = pipeline(n, "audited").add_multi_model_step([n.keras, n.xgb]).add_audit("1:").add_select(0)
    deploy(n, built)
    for _ in range(20):
        answer = n.deployed.infer(smoke())
        assert [name for name in answer.columns if name.startswith("out")] == ["out.dense_1"], list(answer.columns)
        time.sleep(1)
        logs = n.deployed.logs(limit=1)
        if n.xgb_column in logs.columns:
            break
    assert_close(first_values(logs[n.xgb_column]), [SMOKE["xgb"]])
    assert_close(first_values(logs["out.dense_1"]), [SMOKE["keras"]])


def cell_select_another(n):
    """answers the model that is selected, though it is not the first"""
    deploy(n, pipeline(n, "selected").add_multi_model_step([n.keras, n.xgb]).add_select(1))
    answer = n.deployed.infer(smoke())
    assert [name for name in answer.columns if name.startswith("out")] == ["out.variable"], list(answer.columns)
    assert_close(first_values(answer["out.variable"]), [SMOKE["xgb"]])


def cell_random_split(n):
    """sends each request to one of the models, and names it in the answer and the log"""
    deploy(n, pipeline(n, "ab").add_random_split([(2, n.rf), (1, n.gbr)]))
    prices = {n.rf.name(): HOUSE_PRICES, n.gbr.name(): GBR_PRICES}
    seen = {n.rf.name(): 0, n.gbr.name(): 0}
    for _ in range(40):
        answer = n.deployed.infer(houses())
        names = {split_name(n, marks) for marks in answer["out._model_split"]}
        assert len(names) == 1, names
        name = names.pop()
        assert_close(first_values(answer["out.variable"]), prices[name], f"price of {name}")
        seen[name] += 1
    assert seen[n.rf.name()] >= 10 and seen[n.gbr.name()] >= 2, seen
    logs = n.deployed.logs(limit=200)
    assert len(logs) == 200, len(logs)
    logged = [split_name(n, marks) for marks in logs["out._model_split"]]
    assert {name: logged.count(name) // 5 for name in seen} == seen, (logged, seen)
    metadata = n.deployed.logs(limit=1, dataset=["*", "metadata"])
    last_model = json.loads(metadata["metadata.last_model"][0])["model_name"]
    assert last_model == split_name(n, metadata["out._model_split"][0]), last_model


def cell_hash_key(n):
    """sends equal values of a hash key to the same model, row by row"""
    deploy(n, pipeline(n, "hashed").add_random_split([(1, n.rf), (1, n.gbr)], hash_key="user"))
    frame = pd.concat([houses()] * 8, ignore_index=True)
    frame["user"] = [f"user-{row % 20}" for row in range(len(frame))]
    answer = n.deployed.infer(frame)
    names = [split_name(n, marks) for marks in answer["out._model_split"]]
    assert names[:20] == names[20:], names
    assert set(names) == {n.rf.name(), n.gbr.name()}, names
    expected = [(HOUSE_PRICES if name == n.rf.name() else GBR_PRICES)[row % 5] for row, name in enumerate(names)]
    assert_close(first_values(answer["out.variable"]), expected)
    chosen = pd.DataFrame({"tensor": houses()["tensor"][:2], "user": [0.0, 1.0]})
    names = [split_name(n, marks) for marks in n.deployed.infer(chosen)["out._model_split"]]
    assert names == [n.rf.name(), n.gbr.name()], names


def cell_key_split(n):
    """sends each row by the value of a key, and others to the default"""
    deploy(n, pipeline(n, "keyed").add_key_split(n.rf, "card_type", {"gold": n.gbr}))
    frame = houses()
    frame["card_type"] = ["gold", "silver", "gold", "black", "gold"]
    answer = n.deployed.infer(frame)
    expected = [GBR_PRICES[0], HOUSE_PRICES[1], GBR_PRICES[2], HOUSE_PRICES[3], GBR_PRICES[4]]
    assert_close(first_values(answer["out.variable"]), expected)
    names = [split_name(n, marks) for marks in answer["out._model_split"]]
    assert names == [n.gbr.name(), n.rf.name()] * 2 + [n.gbr.name()], names
    without = n.deployed.infer(houses())
    assert_close(first_values(without["out.variable"]), HOUSE_PRICES)
    logs = n.deployed.logs(limit=5)
    assert_close(first_values(logs["out.variable"])[::-1], HOUSE_PRICES)


def cell_replace_steps(n):
    """replaces and removes steps of each kind, and serves what is left"""
    built = pipeline(n, "replaced").add_model_step(n.rf)
    built.replace_with_multi_model_step(0, [n.rf, n.gbr])
    built.add_audit("0:1").replace_with_audit(1, "1:")
    built.add_select(0).replace_with_select(2, 1)
    kinds = [next(iter(step.to_json())) for step in built.steps()]
    assert kinds == ["ModelInference", "AuditResults", "Nth"], kinds
    deploy(n, built)
    assert_close(first_values(n.deployed.infer(houses())["out.variable"]), GBR_PRICES)
    built.remove_step(2)
    built.remove_step(1)
    built.replace_with_random_split(0, [(0, n.gbr), (1, n.rf)])
    built.deploy()
    until_answers(n, HOUSE_PRICES)
    built.replace_with_key_split(0, n.gbr, "card_type", {"gold": n.rf})
    built.deploy()
    until_answers(n, GBR_PRICES)
    built.replace_with_model_step(0, n.rf)
    built.deploy()
    until_answers(n, HOUSE_PRICES)
    assert "out._model_split" not in n.deployed.infer(houses()).columns


def until_answers(n, prices):
    """A version that is deployed over another one serves as soon as it is loaded."""
    for _ in range(30):
        answer = first_values(n.deployed.infer(houses())["out.variable"])
        if abs(answer[0] - prices[0]) < 1:
            return assert_close(answer, prices)
        time.sleep(0.5)
    raise AssertionError(f"the new version does not answer: {answer}")


def cell_replace_with_shadow(n):
    """replaces a step with a shadow deployment"""
    built = pipeline(n, "replaced-shadow").add_model_step(n.rf)
    built.replace_with_shadow_deploy(0, n.gbr, [n.rf])
    deploy(n, built)
    column = f"out_{n.rf.name()}.variable"
    answer = infer_with(n, column, houses())
    assert_close(first_values(answer["out.variable"]), GBR_PRICES)
    assert_close(first_values(answer[column]), HOUSE_PRICES)


def add_steps(built, *steps, models=()):
    """Steps that the builders have no method for; the models' configurations go with the first one."""
    configs = None
    if models:
        from wallaroo.pipeline_config import ModelConfigsForStep

        configs = ModelConfigsForStep([model.config() for model in models])
    for step in steps:
        built.builder()._add_step(step, configs)
        configs = None
    return built


def cell_average(n):
    """answers the mean of several models"""
    built = pipeline(n, "average").add_multi_model_step([n.rf, n.gbr])
    deploy(n, add_steps(built, Average()))
    answer = n.deployed.infer(houses())
    assert_close(first_values(answer["out.variable"]), AVERAGE_PRICES)


def cell_columns(n):
    """selects columns of the input, and gives each row to its own model"""
    built = pipeline(n, "columns")
    routes = [RowToModel(row, ModelForStep.from_model(model)) for row, model in enumerate([n.gbr, n.rf])]
    add_steps(built, ColumnsSelect(list(range(18))), RowsToModels(routes), models=[n.gbr, n.rf])
    deploy(n, built)
    frame = houses().head(2)
    frame["tensor"] = [row + [1.0, 2.0] for row in frame["tensor"]]
    answer = n.deployed.infer(frame)
    assert_close(first_values(answer["out.variable"]), [GBR_PRICES[0], HOUSE_PRICES[1]])
    assert len(answer["in.tensor"][0]) == 20, answer["in.tensor"][0]
    expect_error(Exception, "no model for row 2", lambda: n.deployed.infer(houses()))


@only("2023")
def cell_data_type(n):
    """converts the input to the type that a step names"""
    from wallaroo.pipeline_config import InputDataToType, ValidDataType

    built = add_steps(pipeline(n, "typed"), InputDataToType(ValidDataType.f32)).add_model_step(n.rf)
    deploy(n, built)
    assert_close(first_values(n.deployed.infer(houses())["out.variable"]), HOUSE_PRICES)


def cell_refused(n):
    """refuses a definition that cannot work, with its step"""
    built = pipeline(n, "refused").add_model_step(n.rf).add_select(3)
    expect_error(Exception, r"Step 2 \(Nth\) selects the result 3, but there is 1", built.deploy)
    built = add_steps(n.wl.build_pipeline(unique("refused")), ColumnsToRows(), ColumnsToRows()).add_model_step(n.rf)
    expect_error(Exception, r"Step 2 \(ColumnsToRows\)", built.deploy)
