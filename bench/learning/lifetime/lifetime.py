"""CPU seconds of the lifetimes package on CDNOW, beside libs/learning/lifetime in the same run.

python lifetime.py CDNOW.csv[.gz] with columns customer_id, date, dollars. Needs: pip install lifetimes pandas scipy.
Prints one JSON object: seconds of both, and ours / theirs.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter

ROWS = 1_000_000
CALIBRATION_END = pd.Timestamp("1997-09-30")


def histories(path):
    rows = pd.read_csv(path)
    rows["day"] = pd.to_datetime(rows.date)
    days = rows[rows.day <= CALIBRATION_END].groupby(["customer_id", "day"]).dollars.sum().reset_index()
    first = days.groupby("customer_id").day.min()
    last = days.groupby("customer_id").day.max()
    repeats = days[days.day != days.customer_id.map(first)]
    return pd.DataFrame(
        {
            "frequency": days.groupby("customer_id").size() - 1,
            "recency": (last - first).dt.days / 7,
            "age": (CALIBRATION_END - first).dt.days / 7,
            "mean_spend": repeats.groupby("customer_id").dollars.mean().reindex(first.index),
        }
    )


def cpu(work):
    before = time.process_time()
    result = work()
    return result, time.process_time() - before


def main():
    sample = histories(sys.argv[1])
    million = sample.iloc[np.arange(ROWS) % len(sample)].reset_index(drop=True)
    x, tx, t = million.frequency, million.recency, million.age
    known = sample[(sample.frequency > 0) & (sample.mean_spend > 0)]
    spend, seconds = cpu(lambda: GammaGammaFitter().fit(known.frequency, known.mean_spend))
    theirs = {"gammaGamma": {"fit": seconds}}
    for name, fitter in (("bgNbd", BetaGeoFitter()), ("paretoNbd", ParetoNBDFitter())):
        _, fit = cpu(lambda: fitter.fit(sample.frequency, sample.recency, sample.age))
        expected, expect = cpu(
            lambda: fitter.conditional_expected_number_of_purchases_up_to_time(39, x, tx, t)
        )
        discount = 1.1 ** (1 / 12) - 1
        value, valued = cpu(
            lambda: spend.customer_lifetime_value(
                fitter, x, tx, t, million.mean_spend.fillna(0), time=12, discount_rate=discount, freq="W"
            )
        )
        theirs[name] = {"fit": fit, "expected": expect, "value": valued, "expectedSum": float(expected.sum())}
        theirs[name]["valueSum"] = float(value.sum())
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "histories.json")
        columns = {"meanSpend" if name == "mean_spend" else name: sample[name] for name in sample}
        with open(path, "w") as file:
            file.write(json.dumps({k: [None if v != v else float(v) for v in c] for k, c in columns.items()}))
        script = os.path.join(os.path.dirname(__file__), "lifetime.mjs")
        ours = json.loads(subprocess.run(["node", script, path], capture_output=True, check=True, text=True).stdout)
    ratios = {
        name: {step: ours[name][step] / seconds for step, seconds in steps.items()}
        for name, steps in theirs.items()
    }
    print(json.dumps({"theirs": theirs, "ours": ours, "ratio": ratios}, indent=1))


main()
