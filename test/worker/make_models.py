"""Fits one classifier with each of four tools and exports it with the tool's own converter.

    make_models.py FOLDER TOOL...      TOOL: sklearn, lightgbm, xgboost, torch

For each model FOLDER/<name>.onnx, and FOLDER/<name>.json with sample rows and the probability that the tool itself gives for them.
"""
import json
import sys
from pathlib import Path

import numpy as np

# As libs/features names them.
COLUMNS = [
    "order.value.total", "order.units.total", "recency.days", "tenure.days",
    "count.page_visit.total", "count.product_view.total", "products.distinct", "order.value.last",
]


def data(missing):
    random = np.random.default_rng(7)
    rows = np.abs(random.normal(size=(1500, len(COLUMNS)))) * np.array([400, 9, 60, 500, 30, 80, 12, 90])
    margin = -2 + rows[:, 0] / 100 - rows[:, 2] / 15 + 0.3 * rows[:, 1] - 0.06 * rows[:, 4]
    labels = (random.random(1500) < 1 / (1 + np.exp(-margin))).astype(int)
    # What travels is single precision: a threshold between a double and its float would send a row elsewhere.
    rows = rows.astype(np.float32)
    if missing:
        rows[random.random(rows.shape) < 0.05] = np.nan
    return rows, labels


def write(folder, name, onnx, rows, expected, labels, **more):
    (folder / f"{name}.onnx").write_bytes(onnx)
    cells = [[None if np.isnan(x) else float(x) for x in row] for row in rows]
    sample = [{"row": dict(zip(COLUMNS, row)), "expected": float(p), "label": int(y)}
              for row, p, y in zip(cells, expected, labels)]
    (folder / f"{name}.json").write_text(json.dumps({"columns": COLUMNS, "sample": sample, **more}))


def sklearn(folder):
    from skl2onnx import to_onnx
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = data(missing=False)
    models = {
        "sklearn-logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "sklearn-forest": RandomForestClassifier(30, max_depth=6, random_state=1),
        "sklearn-boosting": GradientBoostingClassifier(n_estimators=40, random_state=1),
    }
    for name, model in models.items():
        model.fit(rows[:1000], labels[:1000])
        zipmap = {} if name == "sklearn-logistic" else {"options": {id(model): {"zipmap": False}}}
        onnx = to_onnx(model, rows[:1], target_opset={"": 17, "ai.onnx.ml": 3}, **zipmap)
        test = rows[1000:1400]
        write(folder, name, onnx.SerializeToString(), test, model.predict_proba(test)[:, 1], labels[1000:1400])


def lightgbm(folder):
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    rows, labels = data(missing=True)
    model = lightgbm.LGBMClassifier(n_estimators=40, num_leaves=15, random_state=1, n_jobs=1, verbose=-1)
    model.fit(rows[:1000], labels[:1000])
    onnx = convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, len(COLUMNS)]))], target_opset=15)
    test = rows[1000:1400]
    write(folder, "lightgbm", onnx.SerializeToString(), test, model.predict_proba(test)[:, 1], labels[1000:1400])


def xgboost(folder):
    import xgboost
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    rows, labels = data(missing=True)
    model = xgboost.XGBClassifier(n_estimators=40, max_depth=4, random_state=1, n_jobs=1)
    model.fit(rows[:1000], labels[:1000])
    onnx = convert_xgboost(model, initial_types=[("input", FloatTensorType([None, len(COLUMNS)]))], target_opset=15)
    test = rows[1000:1400]
    write(folder, "xgboost", onnx.SerializeToString(), test, model.predict_proba(test)[:, 1], labels[1000:1400])


def torch(folder):
    import torch

    rows, labels = data(missing=False)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    scale = torch.tensor(rows[:1000].std(axis=0))
    inputs, targets = torch.tensor(rows[:1000]) / scale, torch.tensor(labels[:1000], dtype=torch.float32)
    net = torch.nn.Sequential(torch.nn.Linear(len(COLUMNS), 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(80):
        adam.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(inputs)[:, 0], targets).backward()
        adam.step()

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net
            self.register_buffer("scale", scale)

        def forward(self, customers):
            return self.net(customers / self.scale)

    model = Scaled().eval()
    test = rows[1000:1400]
    with torch.no_grad():
        expected = torch.sigmoid(model(torch.tensor(test)))[:, 0].numpy()
    for name, options in exporters(torch, test).items():
        path = folder / f"{name}.onnx"
        torch.onnx.export(model, (torch.tensor(test[:2]),), str(path), input_names=["customers"],
                          output_names=["margin"], **options)
        write(folder, name, path.read_bytes(), test, expected, labels[1000:1400], meaning="LOG_ODDS")


def exporters(torch, test):
    """The exporter of today, and the one by tracing, where this version still has it."""
    dynamo = {"dynamo": True, "external_data": False,
              "dynamic_shapes": {"customers": {0: torch.export.Dim("batch")}}}
    traced = {"dynamo": False, "dynamic_axes": {"customers": {0: "batch"}, "margin": {0: "batch"}}}
    return {"torch": dynamo, "torch-traced": traced}


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for tool in sys.argv[2:]:
        {"sklearn": sklearn, "lightgbm": lightgbm, "xgboost": xgboost, "torch": torch}[tool](target)
