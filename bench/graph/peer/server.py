"""What a Python team would have instead: strawberry on uvicorn, LightGBM, NumPy; tuned.

    server.py <port> <folder with model.txt, similarity.f32, items.json, features.json> <mongodb uri> <mongo | memory>

One read, one prediction, one `pred_contrib` and one product with the similarity matrix for all customers of a request, by data
loaders. The rows are ready for the models: nothing is decayed, nothing is encoded, nothing is logged, nobody signs in. With
`memory` nothing is read from a store either. Documents are parsed and validated once, answers are written by orjson.
"""

import asyncio
import json
import sys
from functools import cached_property
from pathlib import Path

import lightgbm as lgb
import numpy as np
import orjson
import strawberry
import uvicorn
from pymongo import AsyncMongoClient, MongoClient
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

PORT, FOLDER, URI, DATA = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
ITEMS = json.loads((FOLDER / "items.json").read_text())
FEATURES = json.loads((FOLDER / "features.json").read_text())
SIMILARITY = np.fromfile(FOLDER / "similarity.f32", dtype=np.float32).reshape(len(ITEMS) + 1, len(ITEMS))
PRIOR = SIMILARITY[-1]
BOOSTER = lgb.Booster(model_file=str(FOLDER / "model.txt"))
EVERYTHING = {}


class Row:
    __slots__ = ("features", "history", "weights", "hidden")

    def __init__(self, document):
        self.features = np.frombuffer(document["features"], dtype=np.float32)
        self.history = np.frombuffer(document["history"], dtype=np.uint32)
        self.weights = np.frombuffer(document["weights"], dtype=np.float32)
        self.hidden = np.frombuffer(document["hidden"], dtype=np.uint32)


class Loaders:
    """Of one request."""

    def __init__(self, collection):
        self.collection = collection
        self.rows = DataLoader(load_fn=self.load_rows)
        self.risks = DataLoader(load_fn=self.load_risks)
        self.slates = DataLoader(load_fn=self.load_slates)

    async def load_rows(self, ids):
        if DATA == "memory":
            return [EVERYTHING.get(each) for each in ids]
        found = {d["_id"]: Row(d) for d in await self.collection.find({"_id": {"$in": ids}}).to_list()}
        return [found.get(each) for each in ids]

    async def load_risks(self, ids):
        rows = await self.rows.load_many(ids)
        table = np.stack([row.features for row in rows])
        contributions = BOOSTER.predict(table, pred_contrib=True, num_threads=1)
        margins = contributions.sum(axis=1)
        probabilities = 1.0 / (1.0 + np.exp(-margins))
        parts = contributions[:, :-1]
        size = np.abs(parts)
        top = np.argpartition(-size, 3, axis=1)[:, :3]
        order = np.take_along_axis(top, np.argsort(-np.take_along_axis(size, top, axis=1), axis=1), axis=1)
        return [
            ChurnRisk(probability=p, parts=(order[i], table[i], parts[i]))
            for i, p in enumerate(probabilities.tolist())
        ]

    async def load_slates(self, ids):
        rows = await self.rows.load_many(ids)
        scores = np.empty((len(rows), len(ITEMS)), dtype=np.float32)
        for i, row in enumerate(rows):
            np.dot(row.weights, SIMILARITY[row.history], out=scores[i])
            scores[i] += PRIOR
            scores[i, row.hidden] = -np.inf
        top = np.argpartition(-scores, 10, axis=1)[:, :10]
        best = np.take_along_axis(scores, top, axis=1)
        order = np.argsort(-best, axis=1)
        top, best = np.take_along_axis(top, order, axis=1), np.take_along_axis(best, order, axis=1)
        return [
            RecommendationSet(
                items=[
                    RecommendedItem(rank=rank, score=score, product=Product(id=ITEMS[item]))
                    for rank, (item, score) in enumerate(zip(items, values), 1)
                ]
            )
            for items, values in zip(top.tolist(), best.tolist())
        ]


@strawberry.type
class Product:
    id: strawberry.ID


@strawberry.type
class RecommendedItem:
    rank: int
    score: float
    product: Product


@strawberry.type
class RecommendationSet:
    items: list[RecommendedItem]


@strawberry.type
class Contribution:
    feature: str
    value: float
    contribution: float


@strawberry.type
class Explanation:
    contributions: list[Contribution]


@strawberry.type
class ChurnRisk:
    probability: float
    parts: strawberry.Private[tuple]

    @strawberry.field
    def explanation(self, top: int) -> Explanation:
        order, values, parts = self.parts
        chosen = order[:top]
        return Explanation(
            contributions=[
                Contribution(feature=FEATURES[i], value=value if value == value else 0.0, contribution=part)
                for i, value, part in zip(chosen.tolist(), values[chosen].tolist(), parts[chosen].tolist())
            ]
        )


@strawberry.type
class Customer:
    id: strawberry.ID

    @strawberry.field
    async def churn_risk(self, info: strawberry.Info) -> ChurnRisk:
        return await info.context["loaders"].risks.load(self.id)

    @strawberry.field
    async def recommendations(self, info: strawberry.Info, slot: str, first: int) -> RecommendationSet:
        return await info.context["loaders"].slates.load(self.id)


@strawberry.type
class Query:
    @strawberry.field
    def customers_by_ids(self, ids: list[strawberry.ID]) -> list[Customer]:
        return [Customer(id=each) for each in ids]


class Server(GraphQL):
    @cached_property
    def collection(self):
        return AsyncMongoClient(URI).get_default_database()["peer_customers"]

    async def get_context(self, request, response=None):
        return {"loaders": Loaders(self.collection)}

    def encode_json(self, data):
        return orjson.dumps(data)


if DATA == "memory":
    EVERYTHING = {d["_id"]: Row(d) for d in MongoClient(URI).get_default_database()["peer_customers"].find()}
schema = strawberry.Schema(Query, extensions=[ParserCache, ValidationCache])
uvicorn.run(
    Server(schema, graphql_ide=None),
    port=PORT,
    loop="uvloop",
    http="httptools",
    log_level="warning",
    access_log=False,
    lifespan="off",
)
