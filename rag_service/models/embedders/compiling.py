"""Run once in a process of its own: a sentence-transformers folder -> an OpenVINO model.

`python -m rag_service.models.embedders.compiling MODEL_FOLDER TARGET_FOLDER bf16|f32 [states]`. The
serving process never pays for importing PyTorch: seconds at start, and half a gigabyte after it.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any


def main(source: str, target: str, precision: str, outputs: str) -> None:
    """Write TARGET/model.xml and model.bin: (input_ids, attention_mask) -> unit vectors.

    With the outputs "states", the states of the tokens are a second output.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # never imported, so mute
    warnings.simplefilter("ignore")
    import openvino  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    class Whole(torch.nn.Module):
        """The transformer in the chosen precision; pooling and what follows in full precision."""

        def __init__(self, model: SentenceTransformer) -> None:
            super().__init__()
            self.transformer: Any = model[0].auto_model
            self.rest: Any = torch.nn.ModuleList(list(model)[1:])

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            read = self.transformer(input_ids=input_ids, attention_mask=attention_mask)
            of_tokens = read.last_hidden_state.float()
            features = {
                "input_ids": input_ids,
                "attention_mask": attention_mask,
                "token_embeddings": of_tokens,
            }
            for module in self.rest:
                features = module(features)
            whole = torch.nn.functional.normalize(features["sentence_embedding"], dim=1)
            return (whole, of_tokens) if outputs == "states" else whole

    model = SentenceTransformer(source, device="cpu", local_files_only=True)
    whole = Whole(model).eval()
    if precision == "bf16":
        whole.transformer.to(torch.bfloat16)
    example = torch.ones((2, 8), dtype=torch.int64)
    with torch.no_grad():
        converted = openvino.convert_model(
            whole, example_input={"input_ids": example, "attention_mask": example}
        )
    openvino.save_model(converted, Path(target) / "model.xml", compress_to_fp16=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
