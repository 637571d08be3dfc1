"""EASE as its authors write it: Gram matrix, inverse, division. Prints CPU seconds of the fastest of three runs."""
import gzip
import sys
import time

import numpy as np

with gzip.open(sys.argv[1], "rt") as file:
    next(file)
    pairs = [line.split(",")[:2] for line in file]
users = {user: i for i, user in enumerate(sorted({user for user, _ in pairs}))}
items = {item: i for i, item in enumerate(sorted({item for _, item in pairs}))}

best = float("inf")
for _ in range(3):
    started = time.process_time()
    x = np.zeros((len(users), len(items)))
    for user, item in pairs:
        x[users[user], items[item]] = 1
    filled = time.process_time()
    gram = x.T @ x
    gram[np.diag_indices(len(items))] += 500
    precision = np.linalg.inv(gram)
    weights = precision / -np.diag(precision)
    np.fill_diagonal(weights, 0)
    best = min(best, time.process_time() - filled)
np.save(sys.argv[2], weights)
print(best)
