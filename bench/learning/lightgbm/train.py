"""Trains LightGBM on the bench's table; prints CPU seconds and the margins of the first 100 rows as JSON."""

import json
import sys
import time

import lightgbm
import numpy

folder, columns, rounds, parameters = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
rows = numpy.fromfile(f"{folder}/rows.f32", dtype=numpy.float32).reshape(-1, columns)
labels = numpy.fromfile(f"{folder}/labels.f32", dtype=numpy.float32)
settings = dict(pair.split("=", 1) for pair in parameters.split(" "))

started = time.process_time()
booster = lightgbm.train(settings, lightgbm.Dataset(rows, labels), num_boost_round=rounds)
seconds = time.process_time() - started

margins = booster.predict(rows[:100], raw_score=True)
print(json.dumps({"seconds": seconds, "margins": margins.tolist()}))
