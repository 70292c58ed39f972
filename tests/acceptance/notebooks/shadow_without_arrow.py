"""A shadow deployment as notebooks from before Arrow use it: with ARROW_ENABLED=false in the environment."""

import time

import pandas as pd
import wallaroo
from notebook import asset, assert_close, new_workspace, unique, upload

# Each model on the same row by ONNX Runtime itself.
KERAS, XGB = 0.001497417688369751, 0.0005066990852355957


def cell_set_up(n):
    """deploys a champion with two challengers"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "before-arrow")
    n.keras = upload(n.wl, unique("ccfraudkeras"), "keras_ccfraud.onnx")
    n.xgb = upload(n.wl, unique("ccfraudxgb"), "xgboost_ccfraud.onnx")
    n.model_a = upload(n.wl, unique("ccfraudrf"), "modelA.onnx")
    n.pipeline = n.wl.build_pipeline(unique("shadow")).add_shadow_deploy(n.keras, [n.xgb, n.model_a])
    n.pipeline.deploy()


def cell_infer(n):
    """gives the champion's result with the challengers' as its shadow data"""
    tensor = {"tensor": pd.read_json(str(asset("cc/smoke_test.df.json")))["tensor"].tolist()}
    for _ in range(20):
        [result] = n.pipeline.infer(tensor)
        if len(result.shadow_data()) == 2:
            break
        time.sleep(1)
    assert result.model()[0] == n.keras.name(), result
    assert_close(result.data()[0].ravel(), [KERAS])
    shadow = result.shadow_data()
    assert_close(shadow[n.xgb.name()][0]["Float"]["data"], [XGB])
    assert_close(shadow[n.model_a.name()][0]["Float"]["data"], [1.0])


def cell_logs(n):
    """has both in the log, by model"""
    [entry] = n.pipeline.logs(limit=1)
    assert entry.model_name == n.keras.name()
    assert_close(entry.output[0].ravel(), [KERAS])
    assert set(entry.shadow_data) == {n.xgb.name(), n.model_a.name()}, entry.shadow_data
    assert_close(entry.shadow_data[n.xgb.name()][0]["Float"]["data"], [XGB])


def cell_display(n):
    """shows the shadow log as a table"""
    html = n.pipeline.logs_shadow_deploy()._repr_html_()
    assert "Challenger" in html and n.xgb.name() in html and n.keras.name() in html, html[:2000]


def cell_clean_up(n):
    """undeploys"""
    n.pipeline.undeploy()
