"""What is told of a person -> fields of a contact. One reader for HTTP and for files."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Struct, UnsetType

from rag_service.contacts.store import ContactChanges, ContactFields
from rag_service.fields import (
    Field,
    label,
    raise_faults,
    read_label,
    read_metadata,
    take_fields,
    takes,
)

_LONGEST_EMAIL = 254  # RFC 5321, with the brackets left out
_LONGEST_PHONE = 50
_LEAST_OF_PHONE = 4
_PHONE_SEARCH = re.compile(r"\s*\+?[\d\s()./\u2010-\u2015-]{3,}\s*")
_read_address = label(_LONGEST_EMAIL)
_read_written_phone = label(_LONGEST_PHONE)


@takes(type="string", format="email", maxLength=_LONGEST_EMAIL)
def read_email(value: Any) -> str:
    """As it is written to; no network is asked whether it exists."""
    from email_validator import (  # noqa: PLC0415  takes a moment, and few need it
        EmailNotValidError,
        validate_email,
    )

    text = _read_address(value)
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"must be an address such as ann@example.com: {error}") from error
    return found.normalized


def read_phone(value: object, region: str | None = None) -> str:
    """E.164, which is digits behind a plus. Raises ValueError."""
    import phonenumbers  # noqa: PLC0415  takes a moment, and few need it

    text = _read_written_phone(value)
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


@takes(type="string", pattern="^[A-Z]{2}$", examples=["DE"])
def read_region(value: Any) -> str:
    import phonenumbers  # noqa: PLC0415  takes a moment, and few need it

    region = str(value).strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("must be the two letters of a country, such as DE")
    return region


REGION = Field("The country, as `DE`, of phones that do not begin with a plus.", read_region)
_EMAIL = Field("Of one contact at most, whatever its case.", read_email)
_NAME = Field("For people to read.", read_label)
_USER_ID = Field(
    "As your own system knows them; `metadata.userId` without it.", read_label, also=("user_id",)
)
_METADATA = Field(
    "Anything else. Its keys are merged in a change; null removes one.", read_metadata
)
_PHONE = Field(
    "International, as +14155550123, where `region` names no country.",
    _read_written_phone,
    may_be_blank=False,
)


class ContactChange(Struct, frozen=True, kw_only=True, rename="camel"):
    """The body of a change. What is left out stays; null removes it."""

    email: Annotated[str | UnsetType | None, _EMAIL] = UNSET
    name: Annotated[str | UnsetType | None, _NAME] = UNSET
    user_id: Annotated[str | UnsetType | None, _USER_ID] = UNSET
    metadata: Annotated[dict[str, Any] | UnsetType | None, _METADATA] = UNSET
    phone: Annotated[str | UnsetType | None, _PHONE] = UNSET
    region: Annotated[str | None, REGION] = None


class NewContact(ContactChange, frozen=True, kw_only=True, rename="camel"):
    """The body of a new one, of whom an email, a phone or a user id is told."""

    JOINT: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"required": [name], "properties": {name: {"type": "string"}}}
            for name in ("email", "phone", "userId")
        ]
    }


def read_contact(body: Mapping[str, Any], region: str | None = None) -> ContactFields:
    """Fields that are not ours are ignored. Raises Invalid with every parameter at fault.

    A phone without a country's code is one of the `region`, where there is one, as `DE`; the body
    may name another.
    """
    values, faults = _take(body, region)
    nobody = all(values.get(name) is None for name in ("email", "phone", "user_id"))
    if nobody and faults.keys().isdisjoint(_TELL_WHO):
        faults["email"] = "is required where there is neither phone nor userId"
    raise_faults(faults)
    return ContactFields(**{name: value for name, value in values.items() if value is not None})


def read_changes(body: Mapping[str, Any]) -> ContactChanges:
    """As for a new one; what is null is to be removed. Raises Invalid."""
    values, faults = _take(body, None)
    raise_faults(faults)
    return ContactChanges(**values)


def _take(body: Mapping[str, Any], region: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What is given, null too, and what is wrong with the rest."""
    values, faults = take_fields(ContactChange, body)
    region = values.pop("region", region)
    if values.get("phone") is not None:
        try:
            values["phone"] = read_phone(values["phone"], region)
        except ValueError as error:
            faults["phone"] = str(error)
    told = (values.get("metadata") or {}).get("userId")
    is_told = isinstance(told, str | int) and str(told).strip()
    if is_told and "user_id" not in values and faults.keys().isdisjoint(_USER_IDS):
        try:
            values["user_id"] = read_label(told)
        except ValueError as error:
            faults["metadata"] = f"has a userId that {error}"
    return values, faults


_USER_IDS = ("userId", "user_id")
_TELL_WHO = ("email", "phone", *_USER_IDS, "metadata")


def phone_part(search: str) -> str | None:
    """The part of an E.164 number that a search means, as people write numbers: `+49 (0)30 90-18`
    and `030 9018` are parts of +49309018. None where it is no number."""
    if not _PHONE_SEARCH.fullmatch(search):
        return None
    digits = re.sub(r"[^\d+]", "", re.sub(r"\(0\)", "", search))
    digits = re.sub(r"^00", "+", digits)
    part = digits if digits.startswith("+") else digits.removeprefix("0")
    return part if len(part) >= _LEAST_OF_PHONE else None
