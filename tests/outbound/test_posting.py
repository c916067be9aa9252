"""Requests to somebody else's server, over real sockets."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from receiving import receiving

from rag_service.errors import Invalid, Refused
from rag_service.outbound.guarded import GuardedPoster, anywhere

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.0.0.1",
    "localhost",
    "LOCALHOST",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "0",
    "0.0.0.0",
]


def post(url, poster=None, body=b"{}", **options):
    async def run():
        sender = poster or GuardedPoster(**options)
        try:
            return await sender.post(url, {"Content-Type": "application/json"}, body)
        finally:
            await sender.close()

    return asyncio.run(run())


def check(url, **options):
    return asyncio.run(GuardedPoster(**options).check(url, within_s=5))


def resolving(*answers):
    """A name server that gives these in turn, and the last for ever."""
    left = list(answers)

    async def resolve(host, port):
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_way_to_write_this_machine_reaches_it_only_where_that_is_allowed(host):
    with receiving() as receiver:
        url = f"http://{host}:{receiver.port}/hook"
        with pytest.raises(Refused, match="must not be reached"):
            check(url)
        answer = post(url)
        assert answer.status is None
        assert "must not be reached" in answer.error
        assert receiver.requests == []
        assert post(url, refuse=anywhere).status == 200
        assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "[::]",
        "[::1]",
        "10.0.0.1",
        "0xa9fea9fe",
    ],
)
def test_other_addresses_that_are_not_public_are_refused_before_anything_is_sent(host):
    with pytest.raises(Refused):
        check(f"http://{host}/")
    assert "must not be reached" in post(f"https://{host}/").error


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "hook",
        "http://user:password@example.com/",
        "http://user@example.com/",
        "http://exa mple.com/",
        "http://example.com:99999/",
        "http://[::1",
        "http://0177.0.0.1/",
    ],
)
def test_what_is_no_url_of_a_receiver_is_invalid(url):
    with pytest.raises(Invalid):
        check(url)


def test_digits_in_circles_are_no_way_around():
    try:
        check("http://①②⑦.⓪.⓪.①/")
    except (Invalid, Refused):
        return
    pytest.fail("it passed")


@pytest.mark.parametrize("found", [["10.0.0.7"], ["93.184.216.34", "10.0.0.7"], ["::1"]])
def test_a_name_that_has_a_private_address_among_others_is_refused(found):
    resolve = resolving(found)
    with pytest.raises(Refused, match=r"hooks\.example must not be reached"):
        check("http://hooks.example/", resolve=resolve)
    assert "must not be reached" in post("http://hooks.example/", resolve=resolve).error


def test_the_connection_goes_to_the_address_that_was_checked():
    """A name server that answers otherwise the second time (DNS rebinding) gains nothing."""
    with receiving("127.0.0.2") as public:
        # stands for a public address; another listens there on the same port
        refuse = lambda address: None if address == "127.0.0.2" else "it is private"  # noqa: E731
        with socket.socket() as inside:
            inside.bind(("127.0.0.1", public.port))
            inside.listen()
            inside.settimeout(0.2)
            url = f"http://hooks.example:{public.port}/"
            rebinding = resolving(["127.0.0.2"], ["127.0.0.1"])
            assert post(url, refuse=refuse, resolve=rebinding).status == 200
            assert public.requests[0].headers["host"] == f"hooks.example:{public.port}"
            assert "it is private" in post(url, refuse=refuse, resolve=rebinding).error
            with pytest.raises(TimeoutError):
                inside.accept()
    assert len(public.requests) == 1


def test_a_redirect_is_an_answer_and_not_followed():
    with receiving() as inner, receiving() as outer:
        outer.answers = lambda one: (302, {"Location": inner.url}, b"elsewhere")
        answer = post(outer.url, refuse=anywhere)
        assert (answer.status, answer.text) == (302, "elsewhere")
        assert inner.requests == []


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(receiver.url, refuse=anywhere).status == 200
        assert (len(proxy.requests), len(receiver.requests)) == (0, 1)


def test_a_name_that_is_not_found_passes_the_check_and_fails_when_it_is_used():
    assert check("https://nobody.invalid/x") == "https://nobody.invalid/x"
    assert "cannot be found" in post("https://nobody.invalid/x").error

    async def slow(host, port):
        await asyncio.sleep(60)

    async def soon():
        await GuardedPoster(resolve=slow).check("http://slow.example/", within_s=0.05)

    asyncio.run(soon())


@contextmanager
def speaking(*parts, pause_s=0.0):
    """A server that says these bytes to whoever connects, whatever they send."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve():
        try:
            while True:
                connection, _ = listener.accept()
                with connection:
                    for part in parts:
                        connection.sendall(part)
                        ended.wait(pause_s)
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def test_a_receiver_that_does_not_answer_is_given_up_after_the_time_limit():
    with speaking(b"", pause_s=60) as url:
        answer = post(url, refuse=anywhere, timeout_s=0.3)
    assert (answer.status, answer.error) == (None, "no answer within 0.3 s")
    assert 250 < answer.duration_ms < 30_000


def test_a_body_that_drips_does_not_hold_what_was_answered():
    drips = [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 1000]
    with speaking(*drips, pause_s=0.05) as url:
        answer = post(url, refuse=anywhere, timeout_s=0.4)
    assert (answer.status, answer.error) == (200, None)


def test_an_endless_body_is_read_no_further_than_needed():
    head = b"HTTP/1.1 500 Oops\r\nContent-Length: 99999999999\r\n\r\n"
    with speaking(head, *[b"ab\x1b[31m" * 20_000] * 40) as url:
        answer = post(url, refuse=anywhere)
    assert answer.status == 500
    assert len(answer.text) == 1000
    assert answer.text.startswith("ab [31m")


@pytest.mark.parametrize("said", [b"rubbish\r\n\r\n", b"", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_is_an_error_in_a_line(said):
    with speaking(said) as url:
        answer = post(url, refuse=anywhere)
    assert answer.status is None
    assert answer.error
    assert "\n" not in answer.error


def test_a_port_where_nobody_listens_is_an_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        answer = post(f"http://127.0.0.1:{free.getsockname()[1]}/", refuse=anywhere)
    assert answer.status is None
    assert answer.error


def test_retry_after_is_read_in_both_forms_and_bounded():
    def told(value):
        with receiving() as receiver:
            receiver.answers = lambda one: (503, {"Retry-After": value}, b"")
            return post(receiver.url, refuse=anywhere).retry_after_s

    assert told("7") == 7
    assert told("99999999") == 86_400
    assert told("soon") is None
    assert told("-5") is None
    moment = datetime.now(UTC) + timedelta(seconds=90)
    assert 80 < told(format_datetime(moment, usegmt=True)) < 95
    assert told("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path, monkeypatch):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-subj", "/CN=hooks.test", "-addext", "subjectAltName=DNS:hooks.test"]
    paths = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*made, *paths], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    here = resolving(["127.0.0.1"])
    with receiving(tls=context) as receiver:
        url = f"https://hooks.test:{receiver.port}/"
        assert post(url, refuse=anywhere, resolve=here).status == 200
        other = post(url.replace("hooks", "other"), refuse=anywhere, resolve=here)
        assert other.status is None
        assert "certificate" in other.error.lower()
    assert len(receiver.requests) == 1
