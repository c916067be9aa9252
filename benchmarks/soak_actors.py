"""Who uses the service in a soak. Each knows exactly what of its own has to be there.

An actor writes what nobody else writes. What was answered with success is certain; where no answer
came, or one of 5xx, it may be there or not, and the actor looks. Every text holds a marker of its
own, so that a text which is there, and one which must not be, is told by its marker alone.
"""

import json
import random
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from soak_world import Service, note

MARKER = re.compile(r"zq[0-9a-f]{14}77")
"""Ends in figures, so that no stemmer shortens it."""
SHOP, TALK = "shop", "talk"
_ANSWER_S = 90
_WORDS = """
heron reed pond ledger harbour parcel invoice customs refund warranty courier
tariff balcony kettle lantern orchard saddle thimble velvet walnut anchor bridge
candle drawer engine funnel garden hammer island jacket
"""
WORDS = _WORDS.split()


class Findings:
    """What went wrong, and how often what was done. Thread-safe."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self.gone: set[str] = set()
        """Markers of what was deleted, replaced, or never taken."""
        self._lock = threading.Lock()

    def fault(self, text: str) -> None:
        note(f"FAULT {text}")
        with self._lock:
            if len(self.faults) < 200:
                self.faults.append(text)

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def forget(self, markers: Iterable[str | None]) -> None:
        with self._lock:
            self.gone |= {marker for marker in markers if marker}


class Actor(threading.Thread):
    """`act` is called again and again until `over`, and `settle` at the end."""

    def __init__(self, name: str, service: Service, findings: Findings, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.rng = random.Random(f"{seed}/{name}")
        self.findings = findings
        self.over = threading.Event()
        self._service = service
        self._client = service.client()
        self._client.timeout = httpx.Timeout(_ANSWER_S)

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self.act()
            except Exception as error:  # noqa: BLE001  it is a finding, and the others go on
                self.findings.fault(f"{self.name}: {type(error).__name__}: {error}")
                time.sleep(1)

    def act(self) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        """Nothing is in the way any more: what is there has to be what is known."""

    def ask(self, method: str, path: str, **rest: Any) -> httpx.Response | None:
        """None when it is not known whether it was done."""
        try:
            answer = self._client.request(method, path, **rest)
        except httpx.HTTPError as error:
            if isinstance(error, httpx.ReadTimeout):
                self.findings.fault(f"{method} {path}: no answer in {_ANSWER_S} s")
            self.findings.count("no answer")
            time.sleep(0.2)
            return None
        self.findings.count(f"{method} {path.partition('?')[0].split('/')[1]}")
        if answer.status_code >= 500:
            self.findings.count(f"{answer.status_code}: {_message(answer)}")
            time.sleep(0.1)
            return None
        return answer

    def insist(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """Of what may be repeated: until there is an answer."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            answer = self.ask(method, path, **rest)
            if answer is not None:
                return answer
        raise RuntimeError(f"{method} {path}: no answer in five minutes")

    def marker(self) -> str:
        return f"zq{self.rng.getrandbits(56):014x}77"

    def text(self, marker: str, paragraphs: int) -> str:
        return "\n\n".join(
            f"# {' '.join(self.rng.sample(WORDS, 2))}\n\n"
            + " ".join([marker, *self.rng.choices(WORDS, k=self.rng.randint(20, 60))])
            for _ in range(paragraphs)
        )


class Pages(Actor):
    """Pushes, edits and deletes, one page at a time."""

    KEYS = 40

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.possible: dict[str, set[str | None]] = defaultdict(lambda: {None})
        """By URL, the markers of what may be there; None is that nothing is."""

    def act(self) -> None:
        url = f"https://shop.example/{self.name}/{self.rng.randrange(self.KEYS)}"
        kind = self.rng.choices(["push", "remove", "look"], [6, 2, 2])[0]
        if kind == "look" or len(self.possible[url]) > 1:
            self.look(url)
        elif kind == "push":
            self._push(url)
        else:
            self.remove([url])
        time.sleep(self.rng.expovariate(20))

    def settle(self) -> None:
        for url in list(self.possible):
            self.look(url)

    def _push(self, url: str) -> None:
        marker = self.marker()
        text = self.text(marker, self.rng.randint(1, 4))
        former = set(self.possible[url])
        self.possible[url] = former | {marker}
        body = {"source_url": url, "bot_id": SHOP, "content": text, "title": marker}
        answer = self.ask("POST", "/knowledge", json=body)
        if answer is None:
            return
        if not self._expect(answer, 200):
            return
        self.certain(url, marker)
        found = self.ask(
            "POST", "/search", json={"query": marker, "bot_id": SHOP, "mode": "keyword"}
        )
        if found is not None and not any(
            marker in one["text"] for one in found.json().get("results", [])
        ):
            self.findings.fault(f"{url} was pushed and is not found: {found.text[:300]}")

    def remove(self, urls: list[str]) -> None:
        former = {url: set(self.possible[url]) for url in urls}
        for url in urls:
            self.possible[url] = former[url] | {None}
        body = {"source_url": urls, "bot_id": SHOP}
        answer = self.ask("DELETE", "/knowledge", json=body)
        if answer is None or not self._expect(answer, 200):
            return
        for url in urls:
            self.certain(url, None)
        marker = next((one for one in former[urls[0]] if one), None)
        found = marker and self.ask("POST", "/search", json={"query": marker, "bot_id": SHOP})
        if found and any(marker in one["text"] for one in found.json().get("results", [])):
            self.findings.fault(f"{urls[0]} was deleted and is found")

    def look(self, url: str) -> None:
        """What is there is one of what may be, whole."""
        where = {"bot_id": SHOP, "source_url": url}
        listed = self.insist("GET", "/knowledge", params=where).json()["items"]
        marker = None
        if listed:
            document = self.insist("GET", f"/knowledge/{listed[0]['document_id']}").json()
            markers = set(MARKER.findall(json.dumps(document)))
            if len(markers) != 1:
                self.findings.fault(f"{url} has {len(markers)} versions at once")
                return
            (marker,) = markers
        if marker not in self.possible[url]:
            self.findings.fault(f"{url} has {marker}, and not one of {self.possible[url]}")
        self.certain(url, marker)

    def certain(self, url: str, version: str | None) -> None:
        self.findings.forget(self.possible[url] - {version})
        self.possible[url] = {version}

    def _expect(self, answer: httpx.Response, *statuses: int) -> bool:
        if answer.status_code not in statuses:
            self.findings.fault(
                f"{answer.request.method} {answer.request.url.path}: "
                f"{answer.status_code} {answer.text[:300]}"
            )
        return answer.status_code in statuses


class Batches(Pages):
    """Many pages as a job. What was accepted comes in, whatever happens meanwhile."""

    MOST = 240

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._number = 0
        self._limbo: set[str] = set()
        """Of batches whose answer never came, or that were cancelled: they may come in later."""

    def act(self) -> None:
        if len(self._limbo) > 200 and not self._service.unfinished_jobs():
            time.sleep(3)  # what was cancelled ends after the group at hand
            while self._limbo:
                self.look(self._limbo.pop())
        versions = {self._url(): self.marker() for _ in range(self.rng.randint(5, 60))}
        for url, marker in versions.items():
            self.possible[url] = self.possible[url] | {marker}
        answer = self.submit(versions)
        if answer is None:
            self._limbo |= set(versions)
        elif self._expect(answer, 202):
            self.findings.count("jobs")
            self._follow(answer.json()["job_id"], versions)
        if len(self.possible) > self.MOST:
            self._thin()
        time.sleep(self.rng.expovariate(2))

    def submit(self, versions: dict[str, str]) -> httpx.Response | None:
        lines = [
            {"source_url": url, "bot_id": SHOP, "content": self.text(marker, 2), "title": marker}
            for url, marker in versions.items()
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson"}
        return self.ask("POST", "/knowledge/batch", content=body, headers=headers)

    def _url(self) -> str:
        """Mostly a new one; sometimes one that is there and certain, which is edited."""
        known = [url for url, versions in self.possible.items() if len(versions) == 1]
        if known and self.rng.random() < 0.3:
            return self.rng.choice(known)
        self._number += 1
        return f"https://shop.example/{self.name}/{self._number}"

    def _follow(self, job_id: str, versions: dict[str, str]) -> None:
        if self.rng.random() < 0.1:
            self.insist("DELETE", f"/jobs/{job_id}")
            self.findings.count("jobs cancelled")
            self._limbo |= set(versions)
            return
        state = ""
        while state not in ("succeeded", "failed", "cancelled"):
            answer = self.insist("GET", f"/jobs/{job_id}")
            if answer.status_code == 404:  # the clock has passed the end of its days
                break
            state = answer.json()["state"]
            if state == "failed" or answer.json()["counts"]["failed"]:
                self.findings.fault(f"a batch that was accepted failed: {answer.text[:400]}")
            if self.over.is_set() and state not in ("succeeded", "failed", "cancelled"):
                time.sleep(0.5)
            time.sleep(0.1)
        for url, marker in versions.items():
            self.possible[url].discard(None)
            self.findings.forget(self.possible[url] - {marker})
            self.possible[url] = {marker}
            self.look(url)

    def _thin(self) -> None:
        known = [url for url in self.possible if url not in self._limbo]
        some = self.rng.sample(known, min(50, len(known)))
        if some:
            self.remove(some)
        for url in some:
            if self.possible[url] == {None}:
                del self.possible[url]


class Uploads(Batches):
    """Files, of which each becomes a page."""

    MOST = 60

    def submit(self, versions: dict[str, str]) -> httpx.Response | None:
        files = []
        for url, marker in versions.items():
            text = self.text(marker, self.rng.randint(1, 30))
            if url.endswith(".html"):
                text = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
            files.append(("files", (url.removeprefix("upload://"), text.encode())))
        return self.ask("POST", "/knowledge/upload", data={"bot_id": SHOP}, files=files)

    def _url(self) -> str:
        self._number += 1
        return f"upload://{self.name}-{self._number}.{self.rng.choice(['md', 'html', 'txt'])}"


class Conversation:
    def __init__(self, id_: str) -> None:
        self.id = id_
        self.said: list[tuple[str, bool]] = []
        """Markers in order, and whether each is certain to be there."""
        self.replies = 0
        """Of the assistant that were promised."""


class Chats(Actor):
    """Asks, leaves in the middle of an answer, has replies promised, deletes conversations."""

    MOST = 25

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.conversations: dict[str, Conversation] = {}
        self._number = 0
        self._unsure: dict[str, Conversation] = {}
        """Of which a delete was not answered."""

    def act(self) -> None:
        if self._unsure:
            self._look_whether_deleted()
        if len(self.conversations) >= self.MOST:
            self._end_some(self.rng.sample(sorted(self.conversations), 10))
        kinds: list[Callable[[Conversation], None]] = [
            self._ask, self._ask, self._leave, self._message, self._message, self._look,
        ]  # fmt: skip
        self.rng.choice(kinds)(self._conversation())
        time.sleep(self.rng.expovariate(10))

    def settle(self) -> None:
        self._look_whether_deleted()
        for conversation in self.conversations.values():
            self._look(conversation)
            self._look_for_replies(conversation)

    def _conversation(self) -> Conversation:
        if self.conversations and self.rng.random() < 0.8:
            return self.conversations[self.rng.choice(sorted(self.conversations))]
        self._number += 1
        id_ = f"{self.name}-{self._number}"
        self.conversations[id_] = Conversation(id_)
        return self.conversations[id_]

    def _ask(self, conversation: Conversation) -> None:
        marker, question = self._question()
        body = {"message": question, "sessionId": conversation.id}
        answer = self.ask("POST", f"/bot/{TALK}", json=body)
        if answer is not None and answer.status_code != 200:
            self.findings.fault(f"POST /bot: {answer.status_code} {answer.text[:300]}")
        certain = answer is not None and answer.status_code == 200
        conversation.said.append((marker, certain))

    def _leave(self, conversation: Conversation) -> None:
        """What was answered until then shows that the question is kept."""
        marker, question = self._question()
        certain = False
        body = {"message": question, "conversationId": conversation.id}
        if not conversation.said:  # only an id that is known may be given here
            return
        with (
            suppress(httpx.HTTPError),
            self._client.stream("POST", f"/chat/{TALK}/stream", json=body) as answer,
        ):
            if answer.status_code == 404 and not any(known for _, known in conversation.said):
                return
            for line in answer.iter_lines():
                if line.startswith("event: delta"):
                    certain = True
                    break
        self.findings.count("streams left")
        conversation.said.append((marker, certain))

    def _message(self, conversation: Conversation) -> None:
        marker, question = self._question()
        body = {
            "conversation_id": conversation.id,
            "sender_id": f"usr_{conversation.id}",
            "sender_type": "user",
            "text": question,
        }
        answer = self.ask("POST", "/messages", json=body)
        if answer is None:
            conversation.said.append((marker, False))
        elif answer.status_code == 404 and not any(known for _, known in conversation.said):
            return
        elif answer.status_code == 200:
            conversation.said.append((marker, True))
            conversation.replies += 1
        else:
            self.findings.fault(f"POST /messages: {answer.status_code} {answer.text[:300]}")

    def _look(self, conversation: Conversation) -> list[dict[str, Any]]:
        where = {"session_id": conversation.id, "limit": 1000, "order": "asc"}
        rows: list[dict[str, Any]] = self.insist("GET", "/transcripts", params=where).json()[
            "items"
        ]
        there = [m for row in rows if row["role"] == "user" for m in MARKER.findall(row["message"])]
        known = [marker for marker, _ in conversation.said]
        missing = [marker for marker, certain in conversation.said if certain]
        missing = [marker for marker in missing if marker not in there]
        if missing:
            self.findings.fault(f"{conversation.id}: {len(missing)} questions are missing")
        if there != [marker for marker in known if marker in there]:
            self.findings.fault(f"{conversation.id}: {there} instead of {known}, in this order")
        self.findings.forget(marker for marker in known if marker not in there)
        conversation.said = [(marker, True) for marker in known if marker in there]
        return rows

    def _look_for_replies(self, conversation: Conversation) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            rows = self._look(conversation)
            replies = sum(row["role"] != "user" for row in rows)
            if replies >= conversation.replies:
                return
            time.sleep(0.5)
        self.findings.fault(f"{conversation.id}: {replies} of {conversation.replies} replies")

    def _end_some(self, ids: list[str]) -> None:
        conversations = {id_: self.conversations.pop(id_) for id_ in ids}
        answer = self.ask("DELETE", "/transcripts", json={"session_ids": ids})
        self._unsure.update(conversations)
        if answer is not None and answer.status_code == 200:
            self._look_whether_deleted()

    def _look_whether_deleted(self) -> None:
        for id_, conversation in list(self._unsure.items()):
            del self._unsure[id_]
            rows = self.insist("GET", "/transcripts", params={"session_id": id_}).json()["total"]
            if rows:
                self.conversations[id_] = conversation
                self._look(conversation)
            else:
                self.findings.count("conversations deleted")
                self.findings.forget(marker for marker, _ in conversation.said)

    def _question(self) -> tuple[str, str]:
        marker = self.marker()
        return marker, f"What about the {self.rng.choice(WORDS)} and {marker}?"


class Contacts(Actor):
    """Creates and deletes people."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.known: dict[str, str] = {}
        """By marker, the id."""
        self._unsure: set[str] = set()

    def act(self) -> None:
        if self._unsure:
            self._look(self._unsure.pop())
        elif len(self.known) > 15 or (self.known and self.rng.random() < 0.4):
            marker = self.rng.choice(sorted(self.known))
            self._unsure.add(marker)
            if self.ask("DELETE", f"/contacts/{self.known[marker]}") is not None:
                self._look(marker)
        else:
            marker = self.marker()
            self._unsure.add(marker)
            body = {"email": f"{marker}@example.com", "name": f"Ann {marker}"}
            if self.ask("POST", "/contacts", json=body) is not None:
                self._look(marker)
        time.sleep(self.rng.expovariate(3))

    def settle(self) -> None:
        for marker in {*self._unsure, *self.known}:
            before = marker in self.known and marker not in self._unsure
            self._look(marker)
            if before and marker not in self.known:
                self.findings.fault(f"the contact {marker} is missing")

    def _look(self, marker: str) -> None:
        found = self.insist("GET", "/contacts", params={"search": marker}).json()["data"]
        self._unsure.discard(marker)
        if found["contacts"]:
            self.known[marker] = found["contacts"][0]["id"]
        else:
            self.known.pop(marker, None)
            self.findings.forget([marker])


class Readers(Actor):
    """Searches, lists, exports and follows the events."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._place: str | None = None

    def act(self) -> None:
        word = self.rng.choice(WORDS)
        paths = [
            f"/search?query={word}&bot_id={SHOP}",
            f"/search?query={word}&bot_id={TALK}",
            f"/transcripts?q={word}&limit=20&since=yesterday",
            f"/knowledge?bot_id={SHOP}&q={word}",
            "/contacts?search=ann",
            "/health",
        ]
        answer = self.ask("GET", self.rng.choice(paths))
        if answer is not None and answer.status_code != 200:
            self.findings.fault(f"{answer.request.url}: {answer.status_code} {answer.text[:300]}")
        after = {"after": self._place} if self._place else {}
        events = self.ask("GET", "/events", params={"limit": 100, "wait": 0, **after})
        if events is not None and events.status_code == 200:
            self._place = events.json()["data"]["next"]
        time.sleep(self.rng.expovariate(10))


class Receiver:
    """Takes webhooks, and fails now and then: 503, 429, slowly, or by hanging up."""

    def __init__(self, seed: int) -> None:
        self.healthy = False
        self.said: dict[str, list[str]] = defaultdict(list)
        """By conversation, the markers of what users said, in the order of their first coming."""
        self.contacts: set[str] = set()
        self.taken = 0
        self.refused = 0
        self._ids: set[str] = set()
        self._rng = random.Random(seed)
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status = receiver.status()
                if status == 200:
                    receiver.take(self.headers["webhook-id"], json.loads(body))
                if status == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                with suppress(OSError):
                    self.send_response(status)
                    if status == 429:
                        self.send_header("Retry-After", "1")
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def status(self) -> int:
        with self._lock:
            chance = 1.0 if self.healthy else self._rng.random()
            status = 503 if chance < 0.1 else 0 if chance < 0.13 else 429 if chance < 0.15 else 200
            self.refused += status != 200
        if not self.healthy and chance > 0.98:
            time.sleep(0.5)
        return status

    def take(self, id_: str, event: dict[str, Any]) -> None:
        with self._lock:
            self.taken += 1
            if id_ in self._ids:
                return
            self._ids.add(id_)
            data = event["data"]
            if event["type"] == "message.created" and data["message"]["role"] == "user":
                self.said[data["conversation_id"]] += MARKER.findall(data["message"]["text"])
            elif event["type"] == "contact.created":
                self.contacts |= set(MARKER.findall(data["contact"]["email"]))


def _message(answer: httpx.Response) -> str:
    with suppress(ValueError, AttributeError):
        body = answer.json()
        error = body.get("error")
        return str((error or {}).get("message") if isinstance(error, dict) else body["message"])
    return answer.text[:100]
