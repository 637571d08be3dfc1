"""CPU time of the binned pass that a numpy user would write: np.histogram by column over fixed edges, np.bincount for codes.

usage: binned_pass.py TABLE ROWS NUMERIC CATEGORICAL   (float64, column by column; codes as numbers, -1 = missing)
"""
import sys
import time

import numpy as np

path, rows, numeric, categorical = sys.argv[1], *map(int, sys.argv[2:5])
table = np.fromfile(path, dtype=np.float64).reshape(2, numeric + categorical, rows)
shares = sorted([0.001, 0.005, 0.01, 0.99, 0.995, 0.999] + [i / 20 for i in range(1, 20)])
edges = [np.unique(np.nanquantile(column, shares)) for column in table[0, :numeric]]
codes = [column.astype(np.int64) for column in table[1, numeric:]]


def histogram() -> None:
    for column, bins in zip(table[1, :numeric], edges):
        present = column[~np.isnan(column)]
        np.histogram(present, bins=np.concatenate(([-np.inf], bins, [np.inf])))
    for column in codes:
        np.bincount(column + 1)


def searchsorted() -> None:
    for column, bins in zip(table[1, :numeric], edges):
        present = column[~np.isnan(column)]
        np.bincount(np.searchsorted(bins, present), minlength=len(bins) + 1)
    for column in codes:
        np.bincount(column + 1)


for work in (histogram, searchsorted):
    work()
    before = time.process_time()
    for _ in range(5):
        work()
    print(work.__name__, (time.process_time() - before) / 5 * 1000)
