"""/knowledge/batch and /jobs over HTTP, with the real background process."""

import json
import time

from rag_service.assembly import assemble

HEADERS = {"Content-Type": "application/x-ndjson"}


def ndjson(*lines):
    return b"".join(
        (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines
    )


def page(n, **more):
    return {"source_url": f"https://a/{n}", "content": f"page number {n}", **more}


def results(answer):
    return [json.loads(line) for line in answer.text.splitlines()]


def finished(client, job_id):
    for _ in range(600):
        job = client.get(f"/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"the job does not end: {job}")


def test_wait_answers_a_line_for_each_line_in_order(client):
    body = ndjson(page(1), b"rubbish", page(2), b"[]", b"", {"content": "x"}, page(1))
    answer = client.post("/knowledge/batch?wait=true", content=body, headers=HEADERS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = results(answer)
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 6, 7]
    assert [line["success"] for line in lines] == [True, False, True, False, False, True]
    assert lines[0]["chunks"] == {"total": 1, "embedded": 1, "reused": 0, "removed": 0}
    assert "not JSON" in lines[1]["error"]
    assert "object" in lines[3]["error"]
    assert "source_url" in lines[4]["error"]
    assert lines[5]["unchanged"] is True
    assert lines[0]["warnings"] == lines[5]["warnings"] == []
    found = client.get("/search", params={"query": "page number 2"}).json()
    assert "https://a/2" in [result["source_url"] for result in found["results"]]


def test_without_wait_it_is_a_job_with_counts_and_failed_lines(client):
    body = ndjson(*(page(n) for n in range(300)), {"content": "x"})
    answer = client.post("/knowledge/batch", content=body, headers=HEADERS)
    assert answer.status_code == 202
    assert answer.json()["total"] == 301
    job = finished(client, answer.json()["job_id"])
    assert job["state"] == "succeeded"
    assert job["counts"] == {
        "total": 301,
        "done": 301,
        "embedded": 300,
        "unchanged": 0,
        "failed": 1,
    }
    assert [line["line"] for line in job["failed_lines"]] == [301]
    assert job["rate"] > 0
    assert client.get("/knowledge", params={"limit": 1}).json()["total"] == 300
    again = client.post("/knowledge/batch", content=body, headers=HEADERS).json()
    assert finished(client, again["job_id"])["counts"]["unchanged"] == 300


def test_the_mount_of_a_batch_is_the_mount_of_its_job(client):
    prefix = "/wp-json/mxchat/v1"
    queued = client.post(f"{prefix}/knowledge/batch", content=ndjson(page(1))).json()
    assert queued["status_url"].startswith(prefix)
    assert client.get(queued["status_url"]).status_code == 200


def test_an_empty_batch_and_an_unknown_job_are_errors(client):
    for body in (b"", b"\n \n"):
        answer = client.post("/knowledge/batch", content=body, headers=HEADERS)
        assert answer.status_code == 400
        assert "empty" in answer.json()["message"]
    for method in ("GET", "DELETE"):
        answer = client.request(method, "/jobs/job_nothing")
        assert answer.status_code == 404
        assert answer.json()["code"] == "mxchat_rest_not_found"


def test_a_batch_is_not_bound_by_the_body_limit_but_its_lines_are(settings, client):
    long = page("long", metadata={"x": "y" * settings.max_body_bytes})
    body = iter([ndjson(page(1)), ndjson(long), ndjson(page(2))])
    lines = results(client.post("/knowledge/batch?wait=1", content=body, headers=HEADERS))
    assert [line["success"] for line in lines] == [True, False, True]
    assert "RAG_MAX_BODY_MB" in lines[1]["error"]


def test_a_cancelled_job_stops(client):
    body = ndjson(*(page(n, content=f"page {n} " + "word " * 400) for n in range(3000)))
    job_id = client.post("/knowledge/batch", content=body, headers=HEADERS).json()["job_id"]
    assert client.delete(f"/jobs/{job_id}").json()["state"] == "cancelled"
    done = client.get(f"/jobs/{job_id}").json()["counts"]["done"]
    assert done < 3000
    # a later job is not held up, and the cancelled one does not go on behind it
    answer = client.post("/knowledge/batch?wait=1", content=ndjson(page("x")), headers=HEADERS)
    assert results(answer)[0]["success"] is True
    assert client.get(f"/jobs/{job_id}").json()["state"] == "cancelled"


def test_a_bound_token_writes_to_its_own_bot_and_sees_its_own_jobs(settings, client):
    with assemble(settings) as service:
        headers = {"Authorization": f"Bearer {service.access.create('bound', bot_id='mine')}"}
    body = ndjson(page(1), page(2, bot_id="theirs"), page(3, bot_id="mine"))
    answer = client.post("/knowledge/batch?wait=1", content=body, headers=HEADERS | headers)
    assert [line["success"] for line in results(answer)] == [True, False, True]
    assert results(answer)[0]["bot_id"] == "mine"
    foreign = client.post("/knowledge/batch", content=ndjson(page(1)), headers=HEADERS).json()
    assert client.get(foreign["status_url"], headers=headers).status_code == 404
    assert client.delete(foreign["status_url"], headers=headers).status_code == 404
