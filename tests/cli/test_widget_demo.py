"""`widget demo`: a page of another site, with a key of its own."""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from rag_service.assembly import assemble


@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_has_a_key_for_its_page_alone_until_it_ends(settings, ends_by):
    demo = subprocess.Popen(
        [sys.executable, "-m", "rag_service", "widget", "demo", "--port", "0"],
        env=os.environ | settings.environ(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        origin = demo.stderr.readline().split()[0]
        page = httpx.get(origin)
        key = re.search(r'data-key="([^"]+)"', page.text)[1]
        assert "unsafe" not in page.headers["content-security-policy"]
        with assemble(settings) as service:
            caller = service.access.identify(f"Bearer {key}")
            assert (caller.permissions, caller.origins) == (["widget"], [origin])
        assert httpx.get(f"{origin}/etc/passwd").status_code == 404
    finally:
        demo.send_signal(ends_by)
        demo.wait(timeout=30)
        demo.stderr.close()
    with assemble(settings) as service:
        assert service.access.tokens() == []
