"""Our exception hierarchy. Nothing here knows about HTTP; every message is safe to show.

* RagError
  x Invalid
    + InvalidSettings
    + TooLarge
    + Unreadable
    + Unsupported
  x NotFound
    + BotNotFound
    + ConversationNotFound
    + ModelNotFound
  x Conflict
  x Denied
    + NoTokens
    + BadToken
    + Forbidden
    + RateLimited
  x Refused
  x EmbedderMismatch
  x ModelUnavailable
  x ReaderUnavailable
  x NotInstalled
  x AnswerFailed
    + AnswerTimedOut
  x StorageFailed
    + StorageBusy
    + OtherVersion
"""

from collections.abc import Mapping


class RagError(Exception):
    """Base of every error we raise on purpose."""


class Invalid(RagError):
    """The request can never succeed as it stands. `params` names each parameter at fault."""

    def __init__(self, message: str, params: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.params = dict(params or {})

    def told(self) -> str:
        """All that is wrong, on a line."""
        reasons = [f"{name} {reason}" for name, reason in self.params.items()]
        return "; ".join(reasons) or str(self)


class InvalidSettings(Invalid):
    """A RAG_* variable is unknown or has a value that cannot be used."""


class TooLarge(Invalid):
    """A body or a line is over the size limit."""


class Unsupported(Invalid):
    """A body is in a coding that is not understood."""


class Unreadable(Invalid):
    """A file is not what it is said to be, or holds no text; `reason` tells what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__("Invalid parameter(s): content", {"content": reason})
        self.reason = reason


class NotFound(RagError):
    """What was named does not exist."""


class BotNotFound(NotFound):
    def __init__(self, bot_id: str) -> None:
        super().__init__(f"Bot not found: {bot_id}.")


class ConversationNotFound(NotFound):
    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"Conversation not found: {conversation_id}.")


class ModelNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"The model {name!r} does not exist, or this token may not use it.")


class Conflict(RagError):
    """What was to be created exists already."""


class Denied(RagError):
    """The caller may not do this."""


class NoTokens(Denied):
    """No token has been created yet, so every authenticated route is closed."""


class BadToken(Denied):
    """The bearer token is missing, malformed or unknown."""


class BadSession(Denied):
    """A visitor's session is missing, forged, expired or of another token."""


class Forbidden(Denied):
    """The token is valid, and lacks the scope or is bound to another bot."""


class RateLimited(Denied):
    """Over the token's limit until `reset` (Unix seconds), `retry_after` seconds from now."""

    def __init__(self, message: str, *, limit: int, reset: int, retry_after: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.reset = reset
        self.retry_after = retry_after


class Refused(RagError):
    """The address is one that must not be reached."""


class EmbedderMismatch(RagError):
    """The knowledge base was filled with another embedding model."""


class ModelUnavailable(RagError):
    """A model is missing, damaged, or failed while it ran."""


class ReaderUnavailable(RagError):
    """No process that reads files could be started, or the service is ending."""


class NotInstalled(RagError):
    """What was asked for needs an extra; the message tells how to install it."""


class AnswerFailed(RagError):
    """The answer model refused, broke off, or sent something that is no answer."""


class AnswerTimedOut(AnswerFailed):
    """The answer model took too long."""


class StorageFailed(RagError):
    """Rows could not be read or written: a full disk, a lost folder, a damaged file."""


class StorageBusy(StorageFailed):
    """Another process held the write lock for too long: try again."""


class OtherVersion(StorageFailed):
    """The rows are as another version of the service keeps them."""
