"""How a check is made and reported: one line of JSON each."""

import json

import grpc
from tritonclient.utils import InferenceServerException

# Of a program's inside, never of an answer.
LEAKS = ("node_modules", "/dist/", "    at ", ".js:", ".ts:", "ORT_", "Error:")


def require(condition, otherwise):
    if not condition:
        raise AssertionError(otherwise)


def equal(actual, expected, what):
    require(actual == expected, f"{what} is {actual!r}, wanted {expected!r}")


def refused(call, code, naming=""):
    """The call must fail with the gRPC status `code` and a text that holds `naming` and nothing of the server's inside."""
    try:
        call()
    except InferenceServerException as error:
        actual, text = str(error.status()).removeprefix("StatusCode."), error.message() or ""
    except grpc.RpcError as error:
        actual, text = error.code().name, error.details() or ""
    else:
        raise AssertionError(f"no error, wanted {code}")
    require(actual == code, f"status {actual} ({text}), wanted {code}")
    require(naming in text, f"the text {text!r} does not hold {naming!r}")
    leak = next((leak for leak in LEAKS if leak in text), None)
    require(leak is None, f"the text {text!r} holds {leak!r}")


class Report:
    def __init__(self, about):
        self.about = about

    def check(self, name, work):
        try:
            work()
            failure = None
        except Exception as error:  # whatever goes wrong is what the check says
            failure = f"{type(error).__name__}: {error}"[:400]
        print(json.dumps({"about": self.about, "check": name, "failure": failure}), flush=True)
