"""Trains the model of this example on houses that it makes, and writes house-price.onnx beside this file.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python train.py

The file is in the repository, so the tutorial needs none of this; train again after a change of houses.py.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from houses import FEATURES, make_houses
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingRegressor

MODEL = Path(__file__).with_name("house-price.onnx")


def main():
    houses, prices = make_houses(count=20_000, seed=1)
    regressor = GradientBoostingRegressor(n_estimators=150, max_depth=4, learning_rate=0.12, random_state=1)
    regressor.fit(houses, prices)

    columns = [("float_input", FloatTensorType([None, len(FEATURES)]))]
    model = convert_sklearn(regressor, initial_types=columns, target_opset={"": 15, "ai.onnx.ml": 1})
    model.doc_string = "Gradient-boosted trees for the prices of made-up houses"
    onnx.checker.check_model(model)
    MODEL.write_bytes(model.SerializeToString())

    # What is judged is the file, on houses that it was not trained on.
    unseen, true_prices = make_houses(count=5_000, seed=2)
    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    (predicted,) = session.run(["variable"], {"float_input": unseen})
    error = np.abs(predicted[:, 0] - true_prices) / true_prices
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes, median error {np.median(error):.1%} on {len(unseen)} new houses")


if __name__ == "__main__":
    main()
