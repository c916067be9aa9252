"""Does any request that the OpenAPI document allows, or all but allows, bring a 500?

For `--minutes`, requests are made up for each operation in turn, under all of its paths, and sent
to a running server: two of three as the document wants them, the others at odds with it somewhere.
Half of the ids are of things that are there. Prints how many got which status, which
operations never succeeded, and each status of 500 or above or that the document does not tell,
with a request that got it. Fails when there is one, or when the server has ended.
"""

import json
import random
import re
import sys
import time
import warnings
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import schemathesis
from figures import arguments, finish, say
from harness import Server, workspace
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

MINUTES = 10.0
AT_A_TIME = 6
"""Requests of an operation, before it is the turn of the next."""
SPARE = 9
"""Of what requests delete."""
SHOWN = 300
_OPTIONS = {"RAG_RATE_WEBHOOK": "off", "RAG_WEBHOOK_ALLOW_PRIVATE": "true"}
_NAMES = {
    "doc": ["document_id"],
    "job": ["job_id"],
    "gap": ["gap_id", "gap_ids"],
    "msg": ["message_id", "reply_to_message_id"],
    "conv": ["conversation_id", "session_id", "conversationId"],
    "con": ["contact_id"],
    "whk": ["webhook_id"],
}
"""What paths and bodies call each kind of id."""
_ID = re.compile(f"({'|'.join(_NAMES)})_[0-9a-f]{{32}}")


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, help="10, or 0.5 with --small")
    parser.set_defaults(model="hashing:1024")
    given = parser.parse_args()
    minutes = given.minutes or (0.5 if given.small else MINUTES)
    with workspace(given.model) as work, Server(work.base("fuzz"), **_OPTIONS) as server:
        with server.client() as client:
            fuzz = Fuzz(client, json.loads(client.get("/schema/openapi.json").text))
            fuzz.run(time.monotonic() + minutes * 60)
        figures = fuzz.figures() | {"server_ended": server.process.poll() is not None}
    finish("fuzz_api", figures, given)
    sys.exit(bool(fuzz.faults) or figures["server_ended"])


class Fuzz:
    def __init__(self, client: httpx.Client, document: dict[str, Any]) -> None:
        self._client = client
        self._schema = schemathesis.openapi.from_dict(document)
        self._known: dict[str, list[str]] = {}
        self._random = random.Random(20_26)
        self._statuses: Counter[int] = Counter()
        self._succeeded: set[str] = set()
        self.operations = [
            (path, method)
            for path, methods in document["paths"].items()
            for method in methods
            if method in ("get", "post", "put", "patch", "delete")
        ]
        self.faults: dict[str, dict[str, Any]] = {}
        """By operation and status: the first request that got it."""

    def run(self, until: float) -> None:
        turn = 0
        while time.monotonic() < until:
            self._known = _fill(self._client, turn)
            for number, (path, method) in enumerate(self.operations):
                if time.monotonic() > until:
                    break
                mode = GenerationMode.NEGATIVE if turn % 3 == 2 else GenerationMode.POSITIVE
                self._ask(path, method, mode, turn * len(self.operations) + number)
            turn += 1
            say(f"turn {turn}: {self._statuses.total()} requests, {len(self.faults)} faults")

    def figures(self) -> dict[str, Any]:
        names = {f"{method} {path}" for path, method in self.operations}
        return {
            "operations": len(names),
            "requests": self._statuses.total(),
            "statuses": dict(sorted(self._statuses.items())),
            "never_succeeded": sorted(names - self._succeeded),
            "faults": self.faults,
        }

    def _ask(self, path: str, method: str, mode: GenerationMode, number: int) -> None:
        operation = self._schema[path][method.upper()]
        documented = operation.definition.raw["responses"]

        @seed(number)
        @settings(
            max_examples=AT_A_TIME,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            deadline=None,
            database=None,
        )
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            self._send(case, f"{method} {path}", documented)

        # some operations have nothing that could be at odds with the document
        with suppress(Unsatisfiable), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask()

    def _send(self, case: Any, name: str, documented: dict[str, Any]) -> None:
        for values in (case.path_parameters, case.body):
            for parameter in values if isinstance(values, dict) else ():
                if parameter in self._known and self._random.random() < 0.5:
                    known = self._random.choice(self._known[parameter])
                    values[parameter] = [known] if parameter.endswith("s") else known
        if case.query:
            case.query.pop("wait", None)  # it may hold for half a minute
        request = _request(case, str(self._client.base_url))
        status, text = self._answer(request)
        self._statuses[status] += 1
        if status < 300:
            self._succeeded.add(name)
        if status >= 500 or str(status) not in documented:
            self.faults.setdefault(
                f"{name}: {status}",
                {"request": repr(request)[:SHOWN], "answer": text[:SHOWN]},
            )

    def _answer(self, request: dict[str, Any]) -> tuple[int, str]:
        """Of a stream the status alone, since it may never end."""
        try:
            with self._client.stream(**request) as answer:
                is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
                if is_stream and "/events" in str(answer.url):
                    return answer.status_code, ""
                return answer.status_code, answer.read().decode(errors="replace")
        except httpx.InvalidURL as error:  # the client's own limit
            return 400, str(error)


def _request(case: Any, base_url: str) -> dict[str, Any]:
    """As httpx takes it."""
    given = case.as_transport_kwargs(base_url=base_url)
    request = {
        "method": case.method,
        "url": given["url"],
        "params": given.get("params"),
        "headers": [
            (name, value)
            for name, value in dict(given.get("headers") or {}).items()
            if name.lower() not in ("authorization", "user-agent", "content-length")
        ],
    }
    data = given.get("data")
    if "json" in given:
        request["content"] = json.dumps(given["json"]).encode()
        request["headers"].append(("content-type", "application/json"))
    elif isinstance(data, str | bytes):
        request["content"] = data
    elif data is not None:
        request["data"] = data
    if given.get("files"):
        request["files"] = [(name, _part(value)) for name, value in given["files"]]
    request["headers"] = _sendable(request["headers"])
    return request


def _part(value: Any) -> Any:
    """Of a form: (file name, bytes), or None for the name of what is no file."""
    name, content = value[:2] if isinstance(value, tuple) else (None, value)
    return name, content if isinstance(content, bytes) else str(content).encode(errors="replace")


def _sendable(headers: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Those that the client does not refuse itself."""
    pairs = [
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in headers
    ]
    return [(name, value) for name, value in pairs if value.isascii() and value.isprintable()]


def _fill(client: httpx.Client, turn: int) -> dict[str, list[str]]:
    """One thing of each kind at least; ids of what is there, by the name that paths give them."""
    page = {"source_url": f"https://example.com/{turn}", "content": "We open at nine."}
    answers = [
        client.post("/knowledge", json=page),
        client.post("/chat/default/message", json={"message": "When do you open?"}),
        client.post("/chat/default/message", json={"message": f"Do you sell shoes? {turn}"}),
        *(client.post("/contacts", json={"email": f"{n}@{turn}.example"}) for n in range(SPARE)),
        *(client.post("/webhooks", json={"url": "http://127.0.0.1:9/"}) for _ in range(SPARE)),
        client.post("/knowledge/batch", content=json.dumps(page)),
        *map(client.get, ("/gaps", "/transcripts", "/chat/default/conversations")),
    ]
    found: dict[str, list[str]] = {"bot_id": ["default"]}
    for answer in answers:
        answer.raise_for_status()
        for known in _ID.finditer(answer.text):
            for name in _NAMES[known[1]]:
                found.setdefault(name, []).append(known[0])
    return found


if __name__ == "__main__":
    main()
