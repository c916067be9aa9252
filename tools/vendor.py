"""Brings what the page is built on into rag_service/web/vendor: `make vendor`.

That is our own client for JavaScript, as it is, and what others wrote, from npm.

The manifest names each file's package, version, licence, the digest of npm's archive and that of
the file as it is here. `python tools/vendor.py NAME=VERSION` takes another version than the
manifest's.
"""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from base64 import b64encode
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "rag_service" / "web" / "vendor"
CLIENT = Path(__file__).parents[1] / "clients" / "javascript" / "src"
CLIENT_FILES = ("client.js", "http.js", "streams.js")
FILES = {
    "preact.js": ("preact", "dist/preact.mjs"),
    "hooks.js": ("preact", "hooks/dist/hooks.mjs"),
    "htm.js": ("htm", "dist/htm.mjs"),
}
BROWSERS_WANT = {'from"preact"': 'from"./preact.js"'}
"""A browser resolves no bare names of modules."""


def main(wanted: dict[str, str]) -> None:
    for name in CLIENT_FILES:
        shutil.copy(CLIENT / name, FOLDER / "client" / name)
    manifest = FOLDER / "manifest.json"
    known = {one["package"]: one["version"] for one in json.loads(manifest.read_text())}
    packages = {name: _fetch(name, (known | wanted)[name]) for name in known | wanted}
    rows, licences = [], []
    for file, (name, path) in FILES.items():
        archive, integrity = packages[name]
        about = json.loads(_member(archive, "package.json"))
        text = _member(archive, path).decode()
        for theirs, ours in BROWSERS_WANT.items():
            text = text.replace(theirs, ours)
        text = text.partition("//# sourceMappingURL")[0].rstrip() + "\n"
        (FOLDER / file).write_text(text)
        rows.append(
            {
                "file": file,
                "package": name,
                "version": about["version"],
                "licence": about["license"],
                "from": path,
                "archive": integrity,
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
        )
    for name, (archive, _) in packages.items():
        licences.append(f"{name}\n\n{_member(archive, 'LICENSE').decode()}")
    manifest.write_text(json.dumps(rows, indent=2) + "\n")
    (FOLDER / "LICENCES.txt").write_text("\n\n".join(licences))


def _fetch(name: str, version: str) -> tuple[bytes, str]:
    """npm's archive and its digest."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{name}@{version}", "--pack-destination", folder]
        subprocess.run(command, check=True, capture_output=True)
        data = next(Path(folder).glob("*.tgz")).read_bytes()
    return data, f"sha512-{b64encode(hashlib.sha512(data).digest()).decode()}"


def _member(archive: bytes, path: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        member = files.extractfile(f"package/{path}")
        assert member is not None
        return member.read()


if __name__ == "__main__":
    main(dict(one.split("=") for one in sys.argv[1:]))
