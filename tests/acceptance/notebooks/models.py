"""Models of other shapes: several inputs and outputs, float64, int64, chains, columns of any name."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import wallaroo
from notebook import asset, assert_close, deployed, expect_error, first_values, new_workspace, unique, upload


def serve(n, name, file, tensor_fields=None):
    """Deploys one model in place of the previous one, so that one pod at a time is alive."""
    previous = n.__dict__.get("pipeline")
    if previous is not None:
        previous.undeploy()
        n.pipeline = None
    model = upload(n.wl, unique(name), file, tensor_fields)
    n.pipeline = deployed(n.wl, name, model)
    return n.pipeline


def cell_set_up(n):
    """has a workspace"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "models")


def cell_fraud(n):
    """finds credit-card fraud by the names that tutorials use for the column"""
    pipeline = serve(n, "ccfraud", "keras_ccfraud.onnx")
    smoke = pd.read_json(str(asset("cc/smoke_test.df.json")))
    answer = pipeline.infer(smoke)
    assert_close(first_values(answer["out.dense_1"]), [0.001497417688369751])
    high = pd.read_json(str(asset("cc/dev_high_fraud.json")))
    assert list(high.columns) == ["dense_input"]
    assert_close(first_values(pipeline.infer(high)["out.dense_1"]), [0.9811990261077881])


def cell_fraud_arrow(n):
    """finds the frauds among 10,254 rows of Arrow"""
    with pa.ipc.open_file(str(asset("cc/cc_data_10k.arrow"))) as reader:
        table = reader.read_all()
    answer = n.pipeline.infer(table)
    scores = first_values(answer["out.dense_1"].to_pylist())
    assert len(scores) == 10254
    assert_close(scores[:5], [0.993003249168396] * 4 + [0.001091688871383667])
    assert sum(score > 0.75 for score in scores) == 20


def cell_rows_one_by_one(n):
    """answers rows that carry the string column `index` of a reset index"""
    frame = pd.read_json(str(asset("cc/cc_data_1k.df.json"))).head(3)
    for _, row in frame.iterrows():
        single = row.to_frame("tensor").reset_index()
        assert list(single.columns) == ["index", "tensor"]
        answer = n.pipeline.infer(single)
        assert_close(first_values(answer["out.dense_1"]), [0.993003249168396])
        assert answer["in.index"][0] == "tensor"


def cell_multi_io(n):
    """feeds several inputs by their own names and gives several outputs"""
    pipeline = serve(n, "multi-io", "multi_io.onnx")
    frame = pd.DataFrame({"input_1": [[1.0] * 10], "input_2": [[1.0] * 5]})
    answer = pipeline.infer(frame)
    assert_close(answer["out.output_1"][0], [-0.36226803064346313, -0.4853655993938446, -0.1778651475906372])
    assert_close(answer["out.output_2"][0], [-0.21646125614643097, -0.09395326673984528])
    table = pa.table({"input_1": pa.array([[1.0] * 10] * 2), "input_2": pa.array([[1.0] * 5] * 2)})
    arrow = pipeline.infer(table)
    assert_close(arrow["out.output_1"][1].as_py(), answer["out.output_1"][0])


def cell_multi_io_missing(n):
    """names the input that is missing"""
    expect_error(Exception, "input_2", lambda: n.pipeline.infer(pd.DataFrame({"input_1": [[1.0] * 10]})))


def cell_float64(n):
    """keeps float64 exact"""
    pipeline = serve(n, "demand-curve", "demand_curve_v1.onnx", tensor_fields=["tensor"])
    answer = pipeline.infer(pd.DataFrame({"tensor": [[0.0, 0.0, 1.0]]}))
    assert first_values(answer["out.variable"])[0] == -44.646402519929154, answer["out.variable"]
    table = pa.table({"tensor": pa.array([[0.0, 0.0, 1.0]], type=pa.list_(pa.float64(), 3))})
    assert pipeline.infer(table)["out.variable"][0].as_py()[0] == -44.646402519929154


def cell_int64(n):
    """gives int64 labels beside float probabilities"""
    pipeline = serve(n, "isolet", "isolet_logistic_model_numclass.onnx")
    answer = pipeline.infer(pd.DataFrame({"tensor": [[0.0] * 617] * 2}))
    label = answer["out.label"][0]
    assert np.ravel(label).tolist() == [1] and all(isinstance(x, (int, np.integer)) for x in np.ravel(label)), label
    assert_close(np.ravel(answer["out.probabilities"][1]), [0.10465491, 0.8953451])


def cell_chain(n):
    """feeds the output of one model to the next"""
    n.pipeline.undeploy()
    embedder = upload(n.wl, unique("embedder"), "imdb_embedder.onnx")
    sentiment = upload(n.wl, unique("sentiment"), "imdb_sentiment_model.onnx")
    n.pipeline = deployed(n.wl, "imdb", embedder, sentiment)
    tokens = [11.0, 6.0, 1.0, 12.0] + [0.0] * 96
    answer = n.pipeline.infer(pd.DataFrame({"tensor": [tokens] * 2}))
    score = first_values(answer["out.dense_1"])
    assert score[0] == score[1] and 0 < score[0] < 1, score
    last = n.pipeline.infer(pd.DataFrame({"tensor": [tokens]}), dataset=["*", "metadata"])
    assert json.loads(last["metadata.last_model"][0])["model_name"] == sentiment.name()


def cell_replicas(n):
    """runs two replicas of a fraction of a processor each"""
    n.pipeline.undeploy()
    config = wallaroo.DeploymentConfigBuilder().replica_count(2).cpus(0.5).memory("512Mi").build()
    model = upload(n.wl, unique("replicated"), "rf_model.onnx")
    n.pipeline = deployed(n.wl, "replicated", model, config=config)
    status = n.pipeline.status()
    assert len(status["engines"]) == 2 and {engine["status"] for engine in status["engines"]} == {"Running"}, status


def cell_clean_up(n):
    """undeploys the last one"""
    n.pipeline.undeploy()
