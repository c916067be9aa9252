"""The client for JavaScript: its own tests against a service, its types and its size."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from served import ROOT

PACKAGE = ROOT / "clients" / "javascript"
SMALL = 8 * 1024
COMMENTS = re.compile(r"^ *(//[^\n]*|/\*\*.*?\*/)$", re.MULTILINE | re.DOTALL)


def run(command, folder=PACKAGE, **more):
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(packages, node, document_file, tmp_path_factory):
    """A copy of the package, with its types made of this service's document."""
    folder = tmp_path_factory.mktemp("javascript")
    for name in ("src", "test", "scripts"):
        shutil.copytree(PACKAGE / name, folder / name)
    for file in (*PACKAGE.glob("*.json"), PACKAGE / "README.md"):
        shutil.copy(file, folder)
    (folder / "node_modules").symlink_to(PACKAGE / "node_modules")
    run([node, "scripts/types.js", document_file], folder)
    return folder


def test_its_own_tests_pass(node, server):
    run([node, "--test", *PACKAGE.glob("test/*.test.js")], env=server.environ())


def test_its_types_are_those_of_the_document_and_it_is_whole_as_a_package(built):
    bin_ = PACKAGE / "node_modules" / ".bin"
    run([bin_ / "tsc"], built)
    run([bin_ / "tsc", "--project", "tsconfig.build.json"], built)
    run([bin_ / "publint", "--strict", "--pack", "false"], built)
    assert "search: Send" in (built / "types" / "client.d.ts").read_text()


def test_it_is_small():
    """What a page loads once comments are gone, as bundlers leave them out."""
    code = "".join(COMMENTS.sub("", file.read_text()) for file in sources())
    assert "class Client" in code
    assert len(gzip.compress(code.encode())) <= SMALL


def test_it_has_no_dependencies():
    package = json.loads((PACKAGE / "package.json").read_text())
    assert not package.keys() & {"dependencies", "peerDependencies", "optionalDependencies"}
    code = "".join(file.read_text() for file in sources())
    imported = set(re.findall(r'^(?:import|export) .* from "([^"]+)"', code, re.MULTILINE))
    assert imported == {f"./{file.name}" for file in sources()} - {"./index.js"}


def test_each_operation_has_a_method(node, operations):
    program = (
        'import { Client } from "./src/index.js";'
        'const own = Object.getOwnPropertyNames(new Client({ baseUrl: "" }));'
        "const methods = [...own, ...Object.getOwnPropertyNames(Client.prototype)];"
        "console.log(JSON.stringify(methods))"
    )
    methods = json.loads(run([node, "--input-type=module", "--eval", program]))
    operations.compare(methods)


def sources() -> list[Path]:
    return sorted((PACKAGE / "src").glob("*.js"))
