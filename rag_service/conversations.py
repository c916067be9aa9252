"""What was said. A `Message` goes to an answer model; what is kept is in `stores`."""

from typing import Literal

from msgspec import Struct

Role = Literal["user", "assistant", "system"]


class Message(Struct, frozen=True):
    role: Role
    text: str


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens, as the model's maker counts them, or as the prompt's budget does."""

    prompt_tokens: int
    completion_tokens: int


class Cut(Struct, frozen=True, kw_only=True):
    """What did not fit into the prompt."""

    history: int = 0
    """Messages left out, the oldest first."""
    passages: int = 0
    """Passages left out, the weakest first."""
    shortened: bool = False
    """The last passage that is in has lost its end."""
