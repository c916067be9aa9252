"""Pictures of pages -> lines of text, by RapidOCR's models, where the extra [ocr] is installed.

The models (PP-OCRv6: Latin with its accents, Chinese, Japanese) come with the package; nothing is
fetched. They run on onnxruntime, which takes half the memory of OpenVINO here at about the same
speed (benchmarks/README.md). Recognised text has errors, so whoever uses it tells which pages it is
of.
"""

import importlib.util
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_service.readers.layout import PageLine
from rag_service.readers.page_pictures import PagePicture, Recogniser
from rag_service.readers.recognised_lines import Box, page_lines
from rag_service.readers.slow_pages import slow_page_done

LONGEST_SIDE = 2_400
"""In pixels: A4 at 200 an inch. Larger pictures are made smaller for the models: 300 an inch take
longer and read no better (benchmarks/README.md). Bounds the memory and the time of a page."""

_SMALLEST_SIDE = 8
"""In pixels. A smaller picture shows no letter, and the models fail on some."""
_MOST_THREADS = 4
_LEAST_SCORE = 0.3
"""What the model believes less than this is no text, but the texture of a photo or a stamp."""
_INK = 60
"""So much darker or lighter than the paper, of 255."""
_MARGIN = 100
"""In pixels, around what is on the paper."""
_DOUBTFUL = 0.85
"""Measured on drawn text: 0.99 upright, 0.62 on its side or its head. The rest is a guess."""
_TALL = 1.5


def recogniser() -> Recogniser | None:
    """None where the extra [ocr] is not installed. The models are read at the first page."""
    if sys.modules.get("rapidocr"):
        return recognise
    is_there = "rapidocr" not in sys.modules and importlib.util.find_spec("rapidocr")
    return recognise if is_there else None


def recognise(picture: PagePicture) -> list[PageLine]:
    """The lines of a page that may lie on its side, on its head, or a little askew.

    One page at a time in a process: the engine is made for one thread, and so memory is bounded.
    """
    pixels = picture.pixels
    if min(pixels.shape[:2]) < _SMALLEST_SIDE:
        return []
    with _one_at_a_time:
        pixels, boxes = _upright(pixels)
    slow_page_done()
    clear = [box for box in boxes if box.score >= _LEAST_SCORE]
    return page_lines(clear, height=pixels.shape[0], points=picture.scale)


_one_at_a_time = threading.Lock()


def _upright(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[Box]]:
    """The page turned so that it can be read, and what is on it.

    RapidOCR's own classifier of lines errs on long ones. What is read upside down makes no sense to
    the model, and it says so.
    """
    boxes = _boxes(pixels)
    if sum(len(box.text) * _is_tall(box) for box in boxes) * 2 > sum(len(b.text) for b in boxes):
        pixels = np.rot90(pixels)
        boxes = _boxes(pixels)
    if boxes and _belief(boxes) < _DOUBTFUL:
        turned = np.rot90(pixels, 2)
        others = _boxes(turned)
        if _belief(others) > _belief(boxes):
            return turned, others
    return pixels, boxes


def _is_tall(box: Box) -> bool:
    return box.height > _TALL * box.width


def _belief(boxes: list[Box]) -> float:
    """How sure the model is of a letter on average, from 0 to 1."""
    letters = sum(len(box.text) for box in boxes)
    return sum(box.score * len(box.text) for box in boxes) / letters if letters else 0.0


def _boxes(pixels: NDArray[np.uint8]) -> list[Box]:
    inside, corner = _without_margins(pixels)
    found = _engine()(np.ascontiguousarray(inside[:, :, ::-1]))  # it takes blue, green, red
    if found.boxes is None:
        return []
    return [
        Box(text, float(score), np.asarray(corners, dtype=float) + corner)
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True)
        if text.strip()
    ]


def _without_margins(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """What is on the paper, and its upper left corner (x, y). The models overlook a few words on a
    page that is blank otherwise."""
    shades = pixels[:, :, 1].astype(np.int16)
    edges = np.concatenate((shades[0], shades[-1], shades[:, 0], shades[:, -1]))
    is_ink = np.abs(shades - int(np.median(edges))) > _INK
    rows, columns = np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))
    if not len(rows):
        return pixels, (0, 0)
    top, left = max(int(rows[0]) - _MARGIN, 0), max(int(columns[0]) - _MARGIN, 0)
    inside = pixels[top : int(rows[-1]) + _MARGIN, left : int(columns[-1]) + _MARGIN]
    return inside, (left, top)


@cache
def _engine() -> Any:
    """One for the process. With paths of its models, it never looks for them elsewhere."""
    import rapidocr  # noqa: PLC0415

    models = Path(rapidocr.__file__).parent / "models"
    settings: dict[str, Any] = {
        "Global.log_level": "error",
        "Global.max_side_len": LONGEST_SIDE,
        "Global.text_score": 0.0,
        "Global.use_cls": False,
        "EngineConfig.onnxruntime.intra_op_num_threads": min(_MOST_THREADS, os.cpu_count() or 1),
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    for step in ("Det", "Rec"):
        [model] = models.glob(f"*_{step.lower()}_*.onnx")
        settings[f"{step}.model_path"] = str(model)
    return rapidocr.RapidOCR(params=settings)
