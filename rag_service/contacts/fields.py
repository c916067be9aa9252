"""What is told of a person -> fields of a contact. One reader for HTTP and for files."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rag_service.contacts.store import ContactChanges, ContactFields
from rag_service.errors import Invalid
from rag_service.fields import read_label, read_metadata

_LONGEST_EMAIL = 254  # RFC 5321, with the brackets left out
_LONGEST_PHONE = 50
_LEAST_OF_PHONE = 4
_PHONE_SEARCH = re.compile(r"\s*\+?[\d\s()./\u2010-\u2015-]{3,}\s*")


def read_contact(body: Mapping[str, Any], region: str | None = None) -> ContactFields:
    """Fields that are not ours are ignored. Raises Invalid with every parameter at fault.

    A phone without a country's code is one of the `region`, where there is one, as `DE`; the body
    may name another.
    """
    values = _read(body, region, new=True)
    return ContactFields(**{name: value for name, value in values.items() if value is not None})


def read_changes(body: Mapping[str, Any]) -> ContactChanges:
    """As for a new one; what is null is to be removed. Raises Invalid."""
    return ContactChanges(**_read(body, None, new=False))


def read_email(value: object) -> str:
    """As it is written to; no network is asked whether it exists. Raises ValueError."""
    from email_validator import (  # noqa: PLC0415  takes a moment, and few need it
        EmailNotValidError,
        validate_email,
    )

    text = read_label(value, _LONGEST_EMAIL)
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"must be an address such as ann@example.com: {error}") from error
    return found.normalized


def read_phone(value: object, region: str | None = None) -> str:
    """E.164, which is digits behind a plus. Raises ValueError."""
    import phonenumbers  # noqa: PLC0415  takes a moment, and few need it

    text = read_label(value, _LONGEST_PHONE)
    wanted = "must be an international number such as +14155550123"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(wanted) from error
    if number.extension:
        raise ValueError(f"{wanted}, without an extension")
    if not phonenumbers.is_possible_number(number):
        raise ValueError(wanted)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_part(search: str) -> str | None:
    """The part of an E.164 number that a search means, as people write numbers: `+49 (0)30 90-18`
    and `030 9018` are parts of +49309018. None where it is no number."""
    if not _PHONE_SEARCH.fullmatch(search):
        return None
    digits = re.sub(r"[^\d+]", "", re.sub(r"\(0\)", "", search))
    digits = re.sub(r"^00", "+", digits)
    part = digits if digits.startswith("+") else digits.removeprefix("0")
    return part if len(part) >= _LEAST_OF_PHONE else None


def read_region(value: object) -> str:
    """Raises ValueError."""
    import phonenumbers  # noqa: PLC0415  takes a moment, and few need it

    region = str(value).strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be the two letters of a country, such as DE")
    return region


def read_user_id(value: object) -> str:
    """A number is taken for its digits, as where somebody speaks. Raises ValueError."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return read_label(str(value) if is_number else value)


def _read(body: Mapping[str, Any], region: str | None, *, new: bool) -> dict[str, Any]:
    """By field, those that are given; null is a value."""
    faults: dict[str, str] = {}

    def take(name: str, read: Callable[[object], Any], value: object) -> Any:
        try:
            return None if value is None else read(value)
        except ValueError as error:
            faults[name] = str(error)
            return None

    region = take("region", read_region, body.get("region")) or region
    phone: _Reader = (("phone",), partial(read_phone, region=region))
    values: dict[str, Any] = {}
    for field, (names, read) in {**_READERS, "phone": phone}.items():
        name = next((name for name in names if name in body), None)
        if name is not None:
            values[field] = take(name, read, body[name])
    told = (values.get("metadata") or {}).get("userId")
    if "user_id" not in values and isinstance(told, str | int) and str(told).strip():
        values["user_id"] = take("metadata", _user_id_within, told)
    nobody = all(values.get(name) is None for name in ("email", "phone", "user_id"))
    if new and nobody and faults.keys().isdisjoint(_TELL_WHO):
        faults["email"] = "is required where there is neither phone nor userId"
    if faults:
        raise Invalid(f"Invalid parameter(s): {', '.join(faults)}", faults)
    return values


def _user_id_within(value: object) -> str:
    try:
        return read_user_id(value)
    except ValueError as error:
        raise ValueError(f"has a userId that {error}") from error


_Reader = tuple[tuple[str, ...], Callable[[object], Any]]
_READERS: dict[str, _Reader] = {
    "email": (("email",), read_email),
    "name": (("name",), read_label),
    "user_id": (("userId", "user_id"), read_user_id),
    "metadata": (("metadata",), read_metadata),
}
_TELL_WHO = ("email", "phone", "userId", "user_id", "metadata")
