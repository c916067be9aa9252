"""/v1/embeddings: vectors of the model that the knowledge base uses."""

from base64 import b64encode
from typing import Annotated, Any, Literal

from litestar import Request, post
from litestar.di import NamedDependency
from msgspec import Struct

from rag_service.assembly import Service
from rag_service.documents import Vectors
from rag_service.errors import Invalid, ModelNotFound
from rag_service.fields import Field, integer, label, one_of
from rag_service.http.dialects.openai.embedding_inputs import read_inputs
from rag_service.http.dialects.openai.vocabulary import count
from rag_service.http.documenting import json_body, openai_errors, operation
from rag_service.http.guarding import need
from rag_service.http.parameters import read_body
from rag_service.http.threads import Threads

Encoding = Literal["float", "base64"]
InputType = Literal["passage", "query"]


class EmbeddingRequest(Struct, frozen=True, kw_only=True):
    """Other fields, such as `user`, are ignored."""

    model: Annotated[str, Field("The embedding model, as /v1/models names it.", label(500))]
    input: Annotated[
        list[str],
        Field("Texts, or token ids of cl100k_base; at most 2,048 of them.", read_inputs),
    ]
    encoding_format: Annotated[
        Encoding,
        Field("`base64` is of float32, little-endian.", one_of(("float", "base64"))),
    ] = "float"
    dimensions: Annotated[int | None, Field("The model's own alone.", integer(1, 100_000))] = None
    input_type: Annotated[
        InputType,
        Field(
            "What the texts are, where the model reads them apart.", one_of(("passage", "query"))
        ),
    ] = "passage"


class Embedding(Struct, frozen=True, kw_only=True):
    """`embedding` is a string where base64 was asked for."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Struct, frozen=True, kw_only=True):
    """In tokens of cl100k_base."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Struct, frozen=True, kw_only=True):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


_EXAMPLE = {"model": "all-MiniLM-L6-v2", "input": ["We open at nine."]}


@post(
    "/embeddings",
    status_code=200,
    guards=[need("knowledge")],
    tags=["openai"],
    summary="Embed texts",
    operation_class=operation(body=json_body(EmbeddingRequest, _EXAMPLE)),
    responses=openai_errors(400, 404, 413),
)
async def embed(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    threads: NamedDependency[Threads],
) -> EmbeddingList:
    """Of length 1. A text beyond the model's window is the mean of its windows."""
    body = await read_body(request, EmbeddingRequest)
    return await threads.push(sum(map(len, body.input)), _embed, body, service)


def _embed(body: EmbeddingRequest, service: Service) -> EmbeddingList:
    if body.model != service.embedding_model():
        raise ModelNotFound(body.model)
    own = service.embeddings.dimension
    if body.dimensions not in (None, own):
        reason = f"must be {own}, which the model has"
        raise Invalid("Invalid parameter(s): dimensions", {"dimensions": reason})
    vectors = service.embeddings.embed(body.input, as_queries=body.input_type == "query")
    tokens = sum(map(count, body.input))
    return EmbeddingList(
        data=[
            Embedding(index=place, embedding=_encoded(vector, body.encoding_format))
            for place, vector in enumerate(vectors)
        ],
        model=body.model,
        usage=EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens),
    )


def _encoded(vector: Vectors, encoding: Encoding) -> list[float] | str:
    if encoding == "base64":
        return b64encode(vector.astype("<f4").tobytes()).decode()
    numbers: list[float] = vector.tolist()
    return numbers


handlers = [embed]
