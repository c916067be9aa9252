"""What a contact is after a change, and what tells that an email is the same. Pure."""

import msgspec
from msgspec import UNSET

from rag_service.contacts.store import ContactChanges, ContactFields
from rag_service.errors import Invalid


def merged(former: ContactFields, changes: ContactChanges) -> ContactFields:
    """Raises Invalid where neither email, phone nor user id would be left."""
    given = {
        name: value for name, value in msgspec.structs.asdict(changes).items() if value is not UNSET
    }
    metadata = given.pop("metadata", {})
    metadata = {} if metadata is None else {**former.metadata, **metadata}
    kept = {name: value for name, value in metadata.items() if value is not None}
    fields = msgspec.structs.replace(former, **given, metadata=kept)
    if fields.email is None and fields.phone is None and fields.user_id is None:
        reason = "is required where there is neither phone nor userId"
        raise Invalid("Invalid parameter(s): email", {"email": reason})
    return fields


def email_key(email: str | None) -> str | None:
    return None if email is None else email.casefold()
