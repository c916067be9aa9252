"""Who may do what.

A bearer token comes in; out goes a `Caller`: what it permits, how often, and its `Scope`, which
every store asks for. Everything is closed until a token exists (`tokens`), and who tries wrong ones
is stopped (`rates`). `store` is where tokens are kept.
"""

from rag_service.access.caller import Caller, Permission, RateClass
from rag_service.access.scope import ALL_BOTS, Scope

__all__ = ["ALL_BOTS", "Caller", "Permission", "RateClass", "Scope"]
