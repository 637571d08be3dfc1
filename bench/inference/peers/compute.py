"""Answers each line "ROWS RUNS" with the CPU microseconds of one `run` on one thread; numpy in, numpy out.

usage: compute.py model.onnx COLUMNS
"""

import sys
import time

import numpy
import onnxruntime

path, columns = sys.argv[1], int(sys.argv[2])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name

for line in sys.stdin:
    rows, runs = map(int, line.split())
    values = numpy.linspace(-1, 1, rows * columns, dtype=numpy.float32).reshape(rows, columns)
    started = time.process_time()
    for _ in range(runs):
        session.run(None, {name: values})
    print((time.process_time() - started) / runs * 1e6, flush=True)
