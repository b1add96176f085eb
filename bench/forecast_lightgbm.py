"""LightGBM on the very rows that the booster learned and was tested on.

`cargo xtask bench forecast` writes the rows (`*_x.f32`, `*_y.f32`, little-endian, row by
row) with what they are (`NAME.json`) and runs this beside them: one thread, the same number
of trees, leaves, rows a leaf, learning rate and shares of rows and columns. Prints one line
of JSON: per name the ratio of our booster's pinball loss to LightGBM's, and both times.
"""

import json
import sys
import time
from pathlib import Path

import lightgbm
import numpy


def table(folder, name, width):
    rows = numpy.fromfile(folder / f"{name}_x.f32", dtype="<f4").reshape(-1, width)
    return rows, numpy.fromfile(folder / f"{name}_y.f32", dtype="<f4")


def parameters(settings, level):
    return {
        "objective": "quantile",
        "alpha": level,
        "learning_rate": settings["learning_rate"],
        "num_leaves": settings["leaves"],
        "min_data_in_leaf": settings["leaf_rows_min"],
        "bagging_fraction": settings["row_percent"] / 100,
        "bagging_freq": 1 if settings["row_percent"] < 100 else 0,
        "feature_fraction": settings["column_percent"] / 100,
        "num_threads": 1,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def learn(rows, targets, about):
    """A model for each level, with the seconds that all took, binning included."""
    begin = time.process_time()
    data = lightgbm.Dataset(rows, targets, free_raw_data=False)
    models = [
        lightgbm.train(parameters(about["settings"], level), data, about["settings"]["rounds"])
        for level in about["levels"]
    ]
    return models, time.process_time() - begin


def pinball(level, said, truth):
    over = truth - said
    return float(numpy.where(over >= 0, level * over, (level - 1) * over).sum())


def capture(said, truth, price=20.0, credit=14.0, retail=29.0):
    """Share of perfect foresight's gain that these offers make."""
    offered = numpy.maximum(said, 0)
    earned = offered * price + numpy.maximum(truth - offered, 0) * credit
    earned -= numpy.maximum(offered - truth, 0) * retail
    return float((earned.sum() - credit * truth.sum()) / ((price - credit) * truth.sum()))


def main(folder):
    found = {}
    for path in sorted(folder.glob("*.json")):
        about = json.loads(path.read_text())
        name, width = path.stem, len(about["columns"])
        models, seconds = learn(*table(folder, f"{name}_train", width), about)
        found[f"{name}_lightgbm_train_s"] = round(seconds, 2)
        found[f"{name}_booster_train_s"] = round(about["booster_train_s"], 2)
        if "booster_loss" not in about:
            continue
        rows, truth = table(folder, f"{name}_test", width)
        said = numpy.sort(numpy.stack([model.predict(rows) for model in models]), axis=0)
        losses = [pinball(level, row, truth) for level, row in zip(about["levels"], said)]
        found[f"{name}_loss_ratio"] = round(sum(about["booster_loss"]) / sum(losses), 4)
        if name == "value":
            place = about["levels"].index(0.4)
            unit = numpy.fromfile(folder / f"{name}_test_unit.f32", dtype="<f4")
            found["value_capture_lightgbm"] = round(capture(said[place] * unit, truth * unit), 4)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
