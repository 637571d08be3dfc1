"""What a server answers for itself: health, metadata, the repository extension, and the same over HTTP for probes."""

import json
import urllib.error
import urllib.request

from checks import Report, equal, refused, require
from tritonclient.grpc import service_pb2 as pb

EXTENSIONS = ("model_repository", "statistics")


class ServerChecks:
    def __init__(self, client, stub, http, models):
        self.client, self.stub, self.http, self.models = client, stub, http, models

    def run(self):
        report = Report("server")
        report.check("is live and ready", self.health)
        report.check("names itself and its extensions", self.metadata)
        report.check("lists its models", self.index)
        report.check("counts all models at once", self.statistics)
        report.check("unloads and loads a model", self.unload_and_load)
        report.check("refuses to load what is not there", self.load_unknown)
        report.check("has no shared memory, traces or streams to offer", self.not_offered)
        report.check("answers probes over HTTP", self.probes)

    def health(self):
        require(self.client.is_server_live() and self.client.is_server_ready(), "not live or not ready")

    def metadata(self):
        metadata = self.client.get_server_metadata()
        require(metadata.name and metadata.version, "name or version is empty")
        for extension in EXTENSIONS:
            require(extension in metadata.extensions, f"{extension} is not among {list(metadata.extensions)}")

    def index(self):
        states = {(each.name, each.version): each.state for each in self.client.get_model_repository_index().models}
        for model in self.models:
            equal(states.get((model, "1")), "READY", f"state of {model}")

    def statistics(self):
        counted = {each.name for each in self.client.get_inference_statistics().model_stats}
        require(counted.issuperset(self.models), f"{sorted(set(self.models) - counted)} are not counted")

    def unload_and_load(self):
        model = self.models[0]
        self.client.unload_model(model)
        require(not self.client.is_model_ready(model), "ready after it was unloaded")
        refused(lambda: self.stub.ModelInfer(pb.ModelInferRequest(model_name=model), timeout=10), "NOT_FOUND", model)
        states = {each.name: each.state for each in self.client.get_model_repository_index().models}
        require(states.get(model) != "READY", "READY in the index after it was unloaded")
        self.client.load_model(model)
        require(self.client.is_model_ready(model), "not ready after it was loaded")

    def load_unknown(self):
        refused(lambda: self.client.load_model("nobody-knows"), "NOT_FOUND", "nobody-knows")

    def not_offered(self):
        refused(lambda: self.client.get_system_shared_memory_status(), "UNIMPLEMENTED")
        refused(lambda: self.client.get_trace_settings(), "UNIMPLEMENTED")
        refused(lambda: next(iter(self.stub.ModelStreamInfer(iter([]), timeout=10))), "UNIMPLEMENTED")

    def probes(self):
        model = self.models[0]
        for path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{model}/ready", f"/v2/models/{model}/versions/1/ready"):
            equal(self.get(path)[0], 200, path)
        status, server = self.get("/v2")
        require(status == 200 and server["name"] and server["version"], "/v2 names no server")
        status, metadata = self.get(f"/v2/models/{model}")
        equal((status, metadata["name"]), (200, model), f"/v2/models/{model}")
        require(metadata["inputs"] and metadata["outputs"], "no tensors in the metadata")
        require(self.get("/v2/models/nobody-knows/ready")[0] != 200, "an unknown model is ready")
        equal(self.get("/v2/models/nobody-knows")[0], 404, "metadata of an unknown model")

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.http}{path}", timeout=10) as response:
                body = response.read()
                return response.status, json.loads(body) if body else None
        except urllib.error.HTTPError as error:
            return error.code, None
