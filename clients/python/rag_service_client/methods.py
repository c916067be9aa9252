"""How one declaration of a method serves both clients.

A method is declared once, in `Api`, as a function that makes a call. On a client it sends that
call: `Client` gives the answer, `AsyncClient` an awaitable of it. A stream is an iterator on the
one and an asynchronous iterator on the other.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from rag_service_client.calls import Call, Paged, Streamed

P = ParamSpec("P")
T = TypeVar("T")


class Sender(ABC):
    """A client that waits."""

    @abstractmethod
    def _send(self, call: Call[T]) -> T: ...

    @abstractmethod
    def _stream(self, stream: Streamed[T] | Paged[T]) -> Generator[T, None, None]: ...


class AsyncSender(ABC):
    """A client for asyncio."""

    @abstractmethod
    async def _send(self, call: Call[T]) -> T: ...

    @abstractmethod
    def _stream(self, stream: Streamed[T] | Paged[T]) -> AsyncGenerator[T, None]: ...


class method(Generic[P, T]):  # noqa: N801  a decorator
    """One answer."""

    def __init__(self, make: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        make = self._make

        @wraps(make)
        def send(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client._send(make(client, *args, **kwargs))

        return make if client is None else send


class stream(Generic[P, T]):  # noqa: N801  a decorator
    """Many answers, as they come."""

    def __init__(self, make: Callable[Concatenate[Any, P], Streamed[T] | Paged[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, AsyncGenerator[T, None]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        make = self._make

        @wraps(make)
        def read(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client._stream(make(client, *args, **kwargs))

        return make if client is None else read
