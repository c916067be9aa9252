"""The methods: one a route, with the names and in the order of clients/README.md.

Ids come first, by position. Everything else is a keyword, spelled as in HTTP; what is in camel case
there has underscores here.
"""

from collections.abc import Iterable
from typing import Any, Literal, Unpack

from rag_service_client import types
from rag_service_client.calls import Call, Paged, Pages, Streamed, Upload, call
from rag_service_client.methods import method, stream
from rag_service_client.streams import AnswerEvents, JsonLines, Raw

_CSV = "text/csv"
_NDJSON = "application/x-ndjson"
_EVENTS = "text/event-stream"
_FORMATS = {"csv": _CSV, "ndjson": _NDJSON}
_HOW_TO_PUSH = ("dry_run", "gaps")


class Api:
    """What both clients can do."""

    # -- service ----------------------------------------------------------------------------------

    @method
    def health(self) -> Call[types.Health]:
        """Whether it is up, and ready. Needs no token."""
        return call(types.Health, "GET /health")

    @method
    def get_status(self) -> Call[types.Status]:
        """Its models, and what runs in the background."""
        return call(types.Status, "GET /status")

    @method
    def list_tokens(self) -> Call[types.Tokens]:
        """Names and scopes, never a token itself."""
        return call(types.Tokens, "GET /tokens")

    @method
    def get_own_token(self) -> Call[types.Holder]:
        """What the token of this client may do."""
        return call(types.Holder, "GET /tokens/self")

    # -- search -----------------------------------------------------------------------------------

    @method
    def search(self, **given: Unpack[types.SearchArguments]) -> Call[types.SearchAnswer]:
        """The passages that answer a query, best first."""
        return call(types.SearchAnswer, "POST /search", given=given)

    # -- knowledge --------------------------------------------------------------------------------

    @method
    def push_page(self, **given: Unpack[types.PushPageArguments]) -> Call[types.Pushed]:
        """Stores a page in place of the former one of its `source_url`."""
        return call(types.Pushed, "POST /knowledge", given=given, in_query=_HOW_TO_PUSH)

    @method
    def list_pages(self, **given: Unpack[types.ListPagesArguments]) -> Call[types.DocumentPage]:
        """A part of the pages, newest first, without their text."""
        return call(types.DocumentPage, "GET /knowledge", given=given)

    @stream
    def iterate_pages(self, **given: Unpack[types.ListPagesArguments]) -> Paged[types.DocumentInfo]:
        """All of them."""
        first = call(
            types.DocumentPage, "GET /knowledge", given={**given, "limit": 100, "offset": 0}
        )
        return Paged(first=first, key="items")

    @method
    def get_page(self, document_id: str, /) -> Call[types.WholeDocument]:
        """A page with its text and chunks."""
        return call(types.WholeDocument, "GET /knowledge/{}", document_id)

    @method
    def delete_pages(self, **given: Unpack[types.DeletePagesArguments]) -> Call[types.Deleted]:
        """Deletes pages by URL, or by a filter."""
        return call(types.Deleted, "DELETE /knowledge", given=given, in_query=("dry_run",))

    @method
    def push_batch(self, pages: Pages, /, *, strict: bool = False) -> Call[types.Queued]:
        """Pushes many pages in the background; `get_job` tells how far it is. An iterator is sent
        while it is read."""
        return _batch(types.Queued, pages, {"strict": strict})

    @stream
    def stream_batch(self, pages: Pages, /, *, strict: bool = False) -> Streamed[types.BatchResult]:
        """The same; what came of each page, in order, as it goes on."""
        sent = _batch(None, pages, {"strict": strict, "wait": True}, accept=_NDJSON)
        return Streamed(call=sent, decoder=lambda: JsonLines(types.BatchResult))

    @method
    def upload_files(
        self, files: Iterable[Upload], /, **given: Unpack[types.UploadFilesArguments]
    ) -> Call[types.Queued]:
        """Pushes files in the background: paths, or names with bytes."""
        return _upload(types.Queued, files, given)

    @stream
    def stream_upload(
        self, files: Iterable[Upload], /, **given: Unpack[types.UploadFilesArguments]
    ) -> Streamed[types.BatchResult]:
        """The same; what came of each file, as it goes on."""
        sent = _upload(None, files, {**given, "wait": True}, accept=_NDJSON)
        return Streamed(call=sent, decoder=lambda: JsonLines(types.BatchResult))

    @method
    def list_jobs(self, **given: Unpack[types.ListJobsArguments]) -> Call[types.JobPage]:
        """A part of the batches, the latest first."""
        return call(types.JobPage, "GET /jobs", given=given)

    @method
    def get_job(
        self, job_id: str, /, **given: Unpack[types.GetJobArguments]
    ) -> Call[types.JobAnswer]:
        """How far a batch is."""
        return call(types.JobAnswer, "GET /jobs/{}", job_id, given=given)

    @method
    def cancel_job(self, job_id: str, /) -> Call[types.JobAnswer]:
        """What has been written stays."""
        return call(types.JobAnswer, "DELETE /jobs/{}", job_id)

    # -- chat -------------------------------------------------------------------------------------

    @method
    def chat(self, bot_id: str, /, **given: Unpack[types.ChatArguments]) -> Call[types.Reply]:
        """Asks, and answers when the answer is whole."""
        return call(types.Reply, "POST /chat/{}/message", bot_id, given=given, repeatable=False)

    @stream
    def chat_stream(
        self, bot_id: str, /, **given: Unpack[types.ChatStreamArguments]
    ) -> Streamed[types.Sources | types.Piece | types.Done]:
        """Asks, and yields the answer as it comes: `Sources`, many a `Piece`, `Done`. To close the
        iterator stops the model; what it said until then is kept."""
        asked = call(
            None, "POST /chat/{}/stream", bot_id, given=given, repeatable=False, accept=_EVENTS
        )
        return Streamed(call=asked, decoder=AnswerEvents)

    @method
    def ask_bot(self, bot_id: str, /, **given: Unpack[types.AskBotArguments]) -> Call[types.Reply]:
        """Asks in a session whose id is the caller's own."""
        return call(types.Reply, "POST /bot/{}", bot_id, given=given, repeatable=False)

    @method
    def rate_answer(
        self, bot_id: str, message_id: str, /, **given: Unpack[types.RateAnswerArguments]
    ) -> Call[types.Rated]:
        """Rates an answer; None takes it back."""
        return call(
            types.Rated, "POST /chat/{}/messages/{}/feedback", bot_id, message_id, given=given
        )

    @method
    def list_conversations(
        self, bot_id: str, /, **given: Unpack[types.ListConversationsArguments]
    ) -> Call[types.Entries]:
        """A page of them, the latest first."""
        return call(types.Entries, "GET /chat/{}/conversations", bot_id, given=given)

    @stream
    def iterate_conversations(
        self, bot_id: str, /, **given: Unpack[types.ListConversationsArguments]
    ) -> Paged[types.Entry]:
        """All of them."""
        first = call(
            types.Entries,
            "GET /chat/{}/conversations",
            bot_id,
            given={**given, "limit": 100, "page": 1},
        )
        return Paged(first=first, key="conversations")

    @method
    def create_conversation(
        self, bot_id: str, /, **given: Unpack[types.CreateConversationArguments]
    ) -> Call[types.Made]:
        """A new one, to chat in."""
        return call(
            types.Made, "POST /chat/{}/conversations", bot_id, given=given, repeatable=False
        )

    @method
    def get_conversation(self, bot_id: str, conversation_id: str, /) -> Call[types.History]:
        """With its messages."""
        return call(types.History, "GET /chat/{}/conversations/{}", bot_id, conversation_id)

    @method
    def update_conversation(
        self,
        bot_id: str,
        conversation_id: str,
        /,
        **given: Unpack[types.UpdateConversationArguments],
    ) -> Call[types.Made]:
        """Its title and metadata."""
        return call(
            types.Made, "PATCH /chat/{}/conversations/{}", bot_id, conversation_id, given=given
        )

    @method
    def delete_conversation(
        self, bot_id: str, conversation_id: str, /
    ) -> Call[types.ConversationDeleted]:
        """For good."""
        return call(
            types.ConversationDeleted, "DELETE /chat/{}/conversations/{}", bot_id, conversation_id
        )

    # -- messages and events ----------------------------------------------------------------------

    @method
    def send_message(self, **given: Unpack[types.SendMessageArguments]) -> Call[types.Sent]:
        """Sends a message; the reply to it comes as an event."""
        return call(types.Sent, "POST /messages", given=given, repeatable=False)

    @method
    def rate_message(
        self, message_id: str, /, **given: Unpack[types.RateMessageArguments]
    ) -> Call[types.Rated]:
        """Rates an answer; None takes it back."""
        return call(types.Rated, "POST /messages/{}/feedback", message_id, given=given)

    @method
    def list_events(self, **given: Unpack[types.ListEventsArguments]) -> Call[types.Feed]:
        """Events after a cursor, in order; `wait` holds until there is one."""
        return call(types.Feed, "GET /events", given=given)

    # -- transcripts ------------------------------------------------------------------------------

    @method
    def list_transcripts(
        self, **given: Unpack[types.ListTranscriptsArguments]
    ) -> Call[types.TranscriptsAnswer]:
        """A part of the rows."""
        return call(types.TranscriptsAnswer, "GET /transcripts", given=given)

    @stream
    def iterate_transcripts(
        self, **given: Unpack[types.ListTranscriptsArguments]
    ) -> Streamed[types.TranscriptItem]:
        """All rows that match, as they are now."""
        asked = call(None, "GET /transcripts", given=_without_place(given), accept=_NDJSON)
        return Streamed(call=asked, decoder=lambda: JsonLines(types.TranscriptItem))

    @stream
    def export_transcripts(
        self,
        format: Literal["csv", "ndjson"] = "csv",
        **given: Unpack[types.ListTranscriptsArguments],
    ) -> Streamed[bytes]:
        """All rows that match, as a file."""
        asked = call(None, "GET /transcripts", given=_without_place(given), accept=_FORMATS[format])
        return Streamed(call=asked, decoder=Raw)

    @method
    def delete_transcripts(
        self, **given: Unpack[types.DeleteTranscriptsArguments]
    ) -> Call[types.DeleteAnswer]:
        """Deletes conversations for good."""
        return call(types.DeleteAnswer, "DELETE /transcripts", given=given)

    @method
    def add_translation(
        self, **given: Unpack[types.AddTranslationArguments]
    ) -> Call[types.NoteAnswer]:
        """Keeps a translation of a message."""
        return call(types.NoteAnswer, "POST /transcripts/translations", given=given)

    @method
    def add_click(self, **given: Unpack[types.AddClickArguments]) -> Call[types.NoteAnswer]:
        """Notes that a link of an answer was followed."""
        return call(types.NoteAnswer, "POST /transcripts/clicks", given=given, repeatable=False)

    @method
    def list_leads(self, **given: Unpack[types.ListLeadsArguments]) -> Call[types.LeadsAnswer]:
        """A page of the contacts, as leads."""
        return call(types.LeadsAnswer, "GET /leads", given=given)

    @stream
    def iterate_leads(self, **given: Unpack[types.ListLeadsArguments]) -> Paged[types.Lead]:
        """All of them."""
        first = call(types.LeadsAnswer, "GET /leads", given={**given, "per_page": 100, "page": 1})
        return Paged(first=first, key="leads")

    # -- gaps -------------------------------------------------------------------------------------

    @method
    def list_gaps(self, **given: Unpack[types.ListGapsArguments]) -> Call[types.GapPage]:
        """What could not be answered."""
        return call(types.GapPage, "GET /gaps", given=given)

    @stream
    def iterate_gaps(self, **given: Unpack[types.ListGapsArguments]) -> Streamed[types.Gap]:
        """All gaps that match, as they are now."""
        asked = call(None, "GET /gaps", given=_without_place(given), accept=_NDJSON)
        return Streamed(call=asked, decoder=lambda: JsonLines(types.Gap))

    @stream
    def export_gaps(
        self, format: Literal["csv", "ndjson"] = "csv", **given: Unpack[types.ListGapsArguments]
    ) -> Streamed[bytes]:
        """All gaps that match, as a file."""
        asked = call(None, "GET /gaps", given=_without_place(given), accept=_FORMATS[format])
        return Streamed(call=asked, decoder=Raw)

    @method
    def get_gap_report(self, **given: Unpack[types.GetGapReportArguments]) -> Call[types.GapReport]:
        """What is asked most, and what was closed by what."""
        return call(types.GapReport, "GET /gaps/report", given=given)

    @method
    def get_gap_activity(
        self, **given: Unpack[types.GetGapActivityArguments]
    ) -> Call[types.Activity]:
        """How many questions of each gap came in each week."""
        return call(types.Activity, "GET /gaps/activity", given=given)

    @method
    def get_gap(
        self, gap_id: str, /, **given: Unpack[types.GetGapArguments]
    ) -> Call[types.GapDetail]:
        """A gap with its questions and its history."""
        return call(types.GapDetail, "GET /gaps/{}", gap_id, given=given)

    @method
    def update_gap(
        self, gap_id: str, /, **given: Unpack[types.UpdateGapArguments]
    ) -> Call[types.Gap]:
        """Renames, dismisses, closes or opens it."""
        return call(types.Gap, "PATCH /gaps/{}", gap_id, given=given)

    @method
    def merge_gaps(
        self, gap_id: str, /, **given: Unpack[types.MergeGapsArguments]
    ) -> Call[types.Gap]:
        """Puts others into this one."""
        return call(types.Gap, "POST /gaps/{}/merge", gap_id, given=given, repeatable=False)

    @method
    def answer_gap(
        self, gap_id: str, /, **given: Unpack[types.AnswerGapArguments]
    ) -> Call[types.GapAnswered]:
        """Pushes a page that answers it."""
        return call(
            types.GapAnswered, "POST /gaps/{}/answer", gap_id, given=given, in_query=_HOW_TO_PUSH
        )

    @stream
    def golden_questions(
        self, **given: Unpack[types.GoldenQuestionsArguments]
    ) -> Streamed[types.GoldenQuestion]:
        """The questions whose answer is known, for an evaluation."""
        asked = call(None, "GET /gaps/golden", given=_without_place(given), accept=_NDJSON)
        return Streamed(call=asked, decoder=lambda: JsonLines(types.GoldenQuestion))

    # -- bots -------------------------------------------------------------------------------------

    @method
    def list_bots(self) -> Call[types.Bots]:
        """Those that the token may use."""
        return call(types.Bots, "GET /bots")

    @method
    def create_bot(self, **given: Unpack[types.CreateBotArguments]) -> Call[types.Bot]:
        """A new one."""
        return call(types.Bot, "POST /bots", given=given, repeatable=False)

    # -- contacts ---------------------------------------------------------------------------------

    @method
    def list_contacts(self, **given: Unpack[types.ListContactsArguments]) -> Call[types.Contacts]:
        """A page of them."""
        return call(types.Contacts, "GET /contacts", given=given)

    @stream
    def iterate_contacts(
        self, **given: Unpack[types.ListContactsArguments]
    ) -> Paged[types.Contact]:
        """All of them."""
        first = call(types.Contacts, "GET /contacts", given={**given, "limit": 100, "page": 1})
        return Paged(first=first, key="contacts")

    @stream
    def export_contacts(
        self, format: Literal["csv"] = "csv", **given: Unpack[types.ListContactsArguments]
    ) -> Streamed[bytes]:
        """All contacts that match, as a file."""
        asked = call(None, "GET /contacts", given=_without_place(given), accept=_FORMATS[format])
        return Streamed(call=asked, decoder=Raw)

    @method
    def create_contact(self, **given: Unpack[types.CreateContactArguments]) -> Call[types.Contact]:
        """A new one."""
        return call(types.Contact, "POST /contacts", given=given, repeatable=False)

    @method
    def import_contacts(
        self, csv: str | bytes, /, **given: Unpack[types.ImportContactsArguments]
    ) -> Call[types.ImportReport]:
        """Contacts of a CSV file; a bad line does not stop the others."""
        return call(
            types.ImportReport,
            "POST /contacts/import",
            given=given,
            in_query=("region",),
            content=csv.encode() if isinstance(csv, str) else csv,
            content_type=_CSV,
        )

    @method
    def get_contact(self, contact_id: str, /) -> Call[types.Contact]:
        """One of them."""
        return call(types.Contact, "GET /contacts/{}", contact_id)

    @method
    def update_contact(
        self, contact_id: str, /, **given: Unpack[types.UpdateContactArguments]
    ) -> Call[types.Contact]:
        """What is not named stays."""
        return call(types.Contact, "PATCH /contacts/{}", contact_id, given=given)

    @method
    def delete_contact(
        self, contact_id: str, /, **given: Unpack[types.DeleteContactArguments]
    ) -> Call[types.ContactGone]:
        """With its conversations, if `conversations` says so."""
        return call(
            types.ContactGone,
            "DELETE /contacts/{}",
            contact_id,
            given=given,
            in_query=("conversations",),
        )

    @method
    def list_contact_conversations(
        self, contact_id: str, /, **given: Unpack[types.ListContactConversationsArguments]
    ) -> Call[types.LinkedPage]:
        """A page of the conversations of a contact."""
        return call(types.LinkedPage, "GET /contacts/{}/conversations", contact_id, given=given)

    @stream
    def iterate_contact_conversations(self, contact_id: str, /) -> Paged[types.Linked]:
        """All of them."""
        first = call(
            types.LinkedPage,
            "GET /contacts/{}/conversations",
            contact_id,
            given={"limit": 100, "page": 1},
        )
        return Paged(first=first, key="conversations")

    # -- webhooks ---------------------------------------------------------------------------------

    @method
    def list_webhooks(self, **given: Unpack[types.ListWebhooksArguments]) -> Call[types.Webhooks]:
        """A page of them."""
        return call(types.Webhooks, "GET /webhooks", given=given)

    @stream
    def iterate_webhooks(self) -> Paged[types.Webhook]:
        """All of them."""
        first = call(types.Webhooks, "GET /webhooks", given={"limit": 100, "page": 1})
        return Paged(first=first, key="webhooks")

    @method
    def create_webhook(
        self, **given: Unpack[types.CreateWebhookArguments]
    ) -> Call[types.NewWebhook]:
        """Its `secret` is in this answer alone."""
        return call(types.NewWebhook, "POST /webhooks", given=given, repeatable=False)

    @method
    def get_webhook(self, webhook_id: str, /) -> Call[types.Webhook]:
        """One of them."""
        return call(types.Webhook, "GET /webhooks/{}", webhook_id)

    @method
    def update_webhook(
        self, webhook_id: str, /, **given: Unpack[types.UpdateWebhookArguments]
    ) -> Call[types.Webhook]:
        """What is not named stays."""
        return call(types.Webhook, "PATCH /webhooks/{}", webhook_id, given=given)

    @method
    def delete_webhook(self, webhook_id: str, /) -> Call[types.WebhookDeleted]:
        """What it is owed goes with it."""
        return call(types.WebhookDeleted, "DELETE /webhooks/{}", webhook_id)

    @method
    def rotate_webhook_secret(
        self, webhook_id: str, /, **given: Unpack[types.RotateWebhookSecretArguments]
    ) -> Call[types.NewWebhook]:
        """A new secret, in this answer alone."""
        return call(
            types.NewWebhook, "POST /webhooks/{}/rotate", webhook_id, given=given, repeatable=False
        )

    @method
    def test_webhook(self, webhook_id: str, /) -> Call[types.Delivery]:
        """Posts a `webhook.test`, and tells what came back."""
        return call(types.Delivery, "POST /webhooks/{}/test", webhook_id, repeatable=False)

    @method
    def list_deliveries(
        self, webhook_id: str, /, **given: Unpack[types.ListDeliveriesArguments]
    ) -> Call[types.Deliveries]:
        """A page of what it was sent, or is owed."""
        return call(types.Deliveries, "GET /webhooks/{}/deliveries", webhook_id, given=given)

    @stream
    def iterate_deliveries(
        self, webhook_id: str, /, **given: Unpack[types.ListDeliveriesArguments]
    ) -> Paged[types.Delivery]:
        """All of them."""
        first = call(
            types.Deliveries,
            "GET /webhooks/{}/deliveries",
            webhook_id,
            given={**given, "limit": 100, "page": 1},
        )
        return Paged(first=first, key="deliveries")

    @method
    def redeliver(self, webhook_id: str, delivery_id: str, /) -> Call[types.Redelivered]:
        """Sends one again."""
        return call(
            types.Redelivered,
            "POST /webhooks/{}/deliveries/{}/redeliver",
            webhook_id,
            delivery_id,
            repeatable=False,
        )

    @method
    def redeliver_failed(self, webhook_id: str, /) -> Call[types.Redelivered]:
        """Sends all again that failed."""
        return call(types.Redelivered, "POST /webhooks/{}/redeliver", webhook_id, repeatable=False)


def _batch(answer: Any, pages: Pages, given: dict[str, bool], **more: Any) -> Call[Any]:
    return call(
        answer,
        "POST /knowledge/batch",
        given=given,
        in_query=given,
        content=pages,
        content_type=_NDJSON,
        **more,
    )


def _upload(answer: Any, files: Iterable[Upload], given: Any, **more: Any) -> Call[Any]:
    return call(
        answer,
        "POST /knowledge/upload",
        given=given,
        in_query=given,
        files=list(files),
        **more,
    )


def _without_place(given: Any) -> dict[str, Any]:
    """An export has all rows."""
    return {name: value for name, value in given.items() if name not in ("limit", "offset")}
