"""Pictures of pages -> lines of text, by RapidOCR's models, where the extra [ocr] is installed.

The models (PP-OCRv6: Latin with its accents, Chinese, Japanese) come with the package; nothing is
fetched. They run on onnxruntime: OpenVINO computes in bf16 where the processor can, which RapidOCR
cannot switch off, and then lines come out as rubbish. Recognised text has errors, so whoever uses
it tells which pages it is of.
"""

import importlib.util
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_service.readers.layout import PageLine
from rag_service.readers.page_pictures import PagePicture, Recogniser
from rag_service.readers.recognised_lines import Box, page_lines

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
_UPRIGHT_SAMPLE = 9
"""So many of the longest lines tell which side of a page is up."""
_TALL = 1.5


def recogniser() -> Recogniser | None:
    """None where the extra [ocr] is not installed. The models are read at the first page."""
    return recognise if importlib.util.find_spec("rapidocr") else None


def recognise(picture: PagePicture) -> list[PageLine]:
    """The lines of a page that may lie on its side, on its head, or a little askew.

    One page at a time in a process: the engine is made for one thread, and so memory is bounded.
    """
    pixels = picture.pixels
    if min(pixels.shape[:2]) < _SMALLEST_SIDE:
        return []
    with _one_at_a_time:
        boxes = _boxes(pixels)
        turns = _quarter_turns(pixels, boxes) if boxes else 0
        if turns:
            pixels = np.ascontiguousarray(np.rot90(pixels, turns))
            boxes = _boxes(pixels)
    return page_lines(boxes, height=pixels.shape[0], points=picture.scale)


_one_at_a_time = threading.Lock()


def _boxes(pixels: NDArray[np.uint8]) -> list[Box]:
    inside, corner = _without_margins(pixels)
    found = _engine()(np.ascontiguousarray(inside[:, :, ::-1]))  # it takes blue, green, red
    if found.boxes is None:
        return []
    return [
        Box(text, float(score), np.asarray(corners, dtype=float) + corner)
        for text, score, corners in zip(found.txts, found.scores, found.boxes, strict=True)
        if text.strip() and score >= _LEAST_SCORE
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


def _quarter_turns(picture: NDArray[np.uint8], boxes: list[Box]) -> int:
    """How often the picture has to be turned to the left until it is upright."""
    longest = sorted(boxes, key=lambda box: -max(box.width, box.height))[:_UPRIGHT_SAMPLE]
    tall = sum(box.height > _TALL * box.width for box in longest)
    on_its_side = 2 * tall > len(longest)
    on_its_head = 0
    for box in longest:
        line = box.cut_from(picture)
        line = np.rot90(line) if on_its_side else line
        on_its_head += _is_on_its_head(line)
    turned = 2 if 2 * on_its_head > len(longest) else 0
    return turned + 1 if on_its_side else turned


def _is_on_its_head(line: NDArray[np.uint8]) -> bool:
    engine = _engine()
    found = engine(
        np.ascontiguousarray(line[:, :, ::-1]), use_det=False, use_cls=True, use_rec=False
    )
    engine.update_params(use_det=True, use_cls=True, use_rec=True)  # it keeps what it was told last
    return bool(found.cls_res) and found.cls_res[0][0] == "180"


@cache
def _engine() -> Any:
    """One for the process. With paths of its models, it never looks for them elsewhere."""
    import rapidocr  # noqa: PLC0415

    models = Path(rapidocr.__file__).parent / "models"
    settings: dict[str, Any] = {
        "Global.log_level": "error",
        "Global.max_side_len": LONGEST_SIDE,
        "Global.text_score": 0.0,
        "EngineConfig.onnxruntime.intra_op_num_threads": min(_MOST_THREADS, os.cpu_count() or 1),
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    for step in ("Det", "Cls", "Rec"):
        [model] = models.glob(f"*_{step.lower()}_*.onnx")
        settings[f"{step}.model_path"] = str(model)
    return rapidocr.RapidOCR(params=settings)
