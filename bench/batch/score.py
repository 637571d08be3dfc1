"""The same customers, model and documents in Python: pymongo, NumPy and ONNX Runtime, tuned.

    score.py <mongodb uri> <model.onnx> <manifest.json> <as of, ms since 1970> <page rows>

One thread reads, one computes and one writes, so that waiting for the store costs nothing. Prints one line of JSON.
"""

import json
import queue
import sys
import threading
import time
from datetime import datetime, timezone

import numpy as np
import onnxruntime as ort
from pymongo import MongoClient, ReplaceOne

URI, MODEL, MANIFEST, AS_OF, ROWS = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
TENANT, TASK = "demo", "churn"
DAY_MS = 86_400_000.0
HALF_LIVES = np.array([1.0, 7.0, 30.0, 90.0])
PART = {"total": 0, "1d": 1, "7d": 2, "30d": 3, "90d": 4}
NAN = float("nan")
NO_SUM = (0.0, 0.0, 0.0, 0.0, 0.0, NAN)

manifest = json.load(open(MANIFEST))
spec = manifest["spec"]
columns = spec["table"]["columns"]
names = [c["column"] for c in columns]
counted = sorted({n.split(".")[1] for n in names if n.startswith("count.")} | {"email_sent", "email_open", "email_click", "order"})
summed = ["orderValue", "orderUnits", "visitSeconds"]
SUM_NAMES = {"order.value": "orderValue", "order.units": "orderUnits", "visit.seconds": "visitSeconds"}
PROJECTION = {f"state.counters.{t}": 1 for t in counted}
PROJECTION |= {f"state.{f}": 1 for f in summed}
PROJECTION |= {f"state.{f}": 1 for f in ("firstAt", "lastActiveAt", "engagedAt", "lastOrderValue", "lastChannel", "lastDevice")}
PROJECTION |= {"state.interactions.productIds": 1, "state.counters.interaction": 1}

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


def flat(each):
    return (each["total"], *each["decayed"], each["at"]) if each else NO_SUM


def encode(page):
    """Features as sextant defines them, one vectorised step a column."""
    n = len(page)
    states = [d["state"] for d in page]
    counters = [s["counters"] for s in states]
    table = {t: np.array([flat(c.get(t)) for c in counters]) for t in counted}
    table |= {f: np.array([flat(s[f]) for s in states]) for f in summed}
    for each in table.values():
        age = np.maximum(0.0, AS_OF - np.nan_to_num(each[:, 5], nan=AS_OF)) / DAY_MS
        each[:, 1:5] *= np.exp2(-age[:, None] / HALF_LIVES)
    number = lambda f: np.array([NAN if s[f] is None else s[f] for s in states], dtype=np.float64)
    days = lambda at: np.maximum(0.0, AS_OF - at) / DAY_MS
    out = np.zeros((n, len(spec["table"]["features"])), dtype=np.float32)
    at = 0
    for column, name in zip(columns, names):
        if column["kind"] == "categorical":
            field = "lastChannel" if name == "visit.channel" else "lastDevice"
            position = {c: i for i, c in enumerate(column["categories"])}
            other = len(position)
            out[np.arange(n), [at + position.get(s[field], other) for s in states]] = 1
            at += other + 1
            continue
        parts = name.split(".")
        if name == "tenure.days":
            value = days(number("firstAt"))
        elif name == "recency.days":
            value = days(number("lastActiveAt"))
        elif name == "products.distinct":
            value = np.array([len(set(s["interactions"]["productIds"][-1000:])) for s in states], dtype=np.float64)
        elif name == "order.value.mean":
            orders = table["order"][:, 0]
            value = np.where(orders > 0, table["orderValue"][:, 0] / np.where(orders > 0, orders, 1), NAN)
        elif name == "order.value.last":
            value = number("lastOrderValue")
        elif parts[0] == "count":
            value = table[parts[1]][:, PART[parts[2]]]
        elif parts[0] == "recency":
            value = days(table[parts[1]][:, 5])
        elif parts[0] == "email":
            part = table["email_open" if parts[1] == "openRate" else "email_click"][:, PART[parts[2]]]
            whole = table["email_sent"][:, PART[parts[2]]]
            value = np.where(whole >= 1e-9, np.minimum(1.0, part / np.where(whole >= 1e-9, whole, 1)), NAN)
        else:
            value = table[SUM_NAMES[".".join(parts[:2])]][:, PART[parts[2]]]
        out[:, at] = value
        at += 1
    return out


def familiar(states):
    limit = AS_OF - 90 * DAY_MS
    presence = ("page_visit", "product_view", "order", "interaction")
    return [
        s["engagedAt"] is not None
        and any(t in s["counters"] and s["counters"][t]["at"] >= limit for t in presence)
        for s in states
    ]


def documents(page, probabilities):
    percentiles = np.interp(probabilities, spec["quantiles"], np.arange(101.0))
    bands = np.where(probabilities >= spec["bands"]["hot"], "HIGH", np.where(probabilities >= spec["bands"]["warm"], "MEDIUM", "LOW"))
    as_of = datetime.fromtimestamp(AS_OF / 1000, timezone.utc)
    common = {"tenantId": TENANT, "task": TASK, "modelVersionId": f"{manifest['model']}@{manifest['version']}", "jobId": "python", "asOf": as_of}
    rows = zip(page, probabilities.tolist(), percentiles.tolist(), bands.tolist(), familiar([d["state"] for d in page]))
    for document, score, percentile, band, known in rows:
        key = f"{TENANT} {TASK} {document['_id']}"
        yield ReplaceOne(
            {"_id": key},
            {**common, "customerId": document["_id"], "score": score, "percentile": percentile, "band": band, "basis": "BEHAVIOUR" if known else "UNFAMILIAR"},
            upsert=True,
        )


def read(db, pages):
    cursor = db.customer_features.find({"tenantId": TENANT}, PROJECTION, batch_size=ROWS).sort("_id", 1)
    page = []
    for document in cursor:
        page.append(document)
        if len(page) == ROWS:
            pages.put(page)
            page = []
    if page:
        pages.put(page)
    pages.put(None)


def write(db, results):
    while (operations := results.get()) is not None:
        db.customer_scores_python.bulk_write(operations, ordered=False)


def main():
    db = MongoClient(URI).get_default_database()
    db.customer_scores_python.create_index([("tenantId", 1), ("task", 1), ("score", -1), ("customerId", 1)])
    pages, results = queue.Queue(2), queue.Queue(2)
    started = time.perf_counter()
    threads = [threading.Thread(target=read, args=(db, pages)), threading.Thread(target=write, args=(db, results))]
    for thread in threads:
        thread.start()
    rows = 0
    while (page := pages.get()) is not None:
        probabilities = session.run(None, {"features": encode(page)})[0][:, 0].astype(np.float64)
        results.put(list(documents(page, probabilities)))
        rows += len(page)
    results.put(None)
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    print(json.dumps({"rows": rows, "seconds": seconds, "cpuSeconds": time.process_time()}))


main()
