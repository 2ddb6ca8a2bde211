"""What a client may not use, although the server knows it: refused as if it were unknown.

The operator has switched a capability off for the account (`model.switches`).
Whole commands are looked up in the table (`Rule.capability`); their arguments
are looked for here, in a command that has been read. This is asked only where
something is switched off.
"""

from collections.abc import Iterable, Iterator

from postroad.imap.wire import search_keys as keys
from postroad.imap.wire.annotation import FetchAnnotation
from postroad.imap.wire.event import AppendEnd, AppendNext, Event
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem, FetchSection, SectionForm
from postroad.imap.wire.mailbox_commands import Create, List, Select, Status
from postroad.imap.wire.message_commands import (
    Annotate,
    AppendStart,
    Fetch,
    MessageHead,
    Store,
    UrlPart,
    Within,
)
from postroad.imap.wire.notification import Notify, NotifyEvent
from postroad.imap.wire.ordering import SortKey
from postroad.imap.wire.reader import BadSyntax
from postroad.imap.wire.search_commands import MultiSearch, Search, Sort, Thread
from postroad.imap.wire.status_item import StatusItem
from postroad.imap.wire.urlauth_commands import UrlFetch

ANNOTATE = "ANNOTATE-EXPERIMENT-1"
_ITEMS = {
    FetchAttribute.MODSEQ: "CONDSTORE",
    FetchAttribute.EMAILID: "OBJECTID",
    FetchAttribute.THREADID: "OBJECTID",
    FetchAttribute.SAVEDATE: "SAVEDATE",
    FetchAttribute.PREVIEW: "PREVIEW",
}
_STATUS = {
    StatusItem.SIZE: "STATUS=SIZE",
    StatusItem.HIGHESTMODSEQ: "CONDSTORE",
    StatusItem.MAILBOXID: "OBJECTID",
    StatusItem.DELETED_STORAGE: "QUOTA",
}
_LIST = {
    "SPECIAL-USE": "SPECIAL-USE",
    "STATUS": "LIST-STATUS",
    "MYRIGHTS": "LIST-MYRIGHTS",
    "METADATA": "LIST-METADATA",
}
_SORT = {
    SortKey.ANNOTATION: ANNOTATE,
    SortKey.DISPLAYFROM: "SORT=DISPLAY",
    SortKey.DISPLAYTO: "SORT=DISPLAY",
    SortKey.RELEVANCY: "SEARCH=FUZZY",
}
_METADATA = frozenset({NotifyEvent.MAILBOX_METADATA_CHANGE, NotifyEvent.SERVER_METADATA_CHANGE})


def refuse_withheld(event: Event | None, withheld: frozenset[str]) -> None:
    """Raise BadSyntax where a command uses what is switched off."""
    if event is None:
        return
    # DELETED came with QUOTA=RES-MESSAGE (RFC 9208 §4.1.4) and with IMAP4rev2: either lets it in.
    if (
        isinstance(event, Status | List)
        and StatusItem.DELETED in (event.items if isinstance(event, Status) else event.status)
        and withheld.issuperset(("QUOTA", "IMAP4rev2"))
    ):
        raise BadSyntax(b"there is no such status item")
    if not withheld.isdisjoint(_uses(event)):
        raise BadSyntax(b"there is no such argument")


def _uses(event: Event) -> Iterator[str]:
    """Name the capabilities that the arguments of a command stand for."""
    match event:
        case Fetch(items=items, changed_since=since, partial=part):
            yield from _of_items(items)
            if part is not None:
                yield "PARTIAL"
            if since is not None:
                yield "CONDSTORE"
        case Store(unchanged_since=since) | Annotate(unchanged_since=since):
            if since is not None:
                yield "CONDSTORE"
            if isinstance(event, Annotate):
                yield ANNOTATE
        case Search():
            yield from _of_search(event)
        case Thread(algorithm=algorithm, key=key):
            yield "THREAD=" + algorithm.value.decode("ascii")
            yield from _of_key(key)
        case Status(items=asked):
            yield from (_STATUS[item] for item in asked if item in _STATUS)
        case List():
            yield from _of_list(event)
        case Create(special_use=uses):
            if uses:
                yield "CREATE-SPECIAL-USE"
        case Select(condstore=condstore, qresync=known, annotate=annotate):
            if annotate:
                yield ANNOTATE
            if condstore:
                yield "CONDSTORE"
            if known is not None:
                yield "QRESYNC"
        case UrlFetch(urls=urls):
            if any(wanted for _, wanted in urls):
                yield "URLAUTH=BINARY"
        case Notify(groups=groups):
            for group in groups:
                yield from _of_items(group.items)
                if not group.events.isdisjoint(_METADATA):
                    yield "METADATA"
                if NotifyEvent.ANNOTATION_CHANGE in group.events:
                    yield ANNOTATE
        case AppendStart() | AppendNext() | AppendEnd():
            yield from _of_append(event)
        case _:
            pass


def _of_items(items: Iterable[FetchItem]) -> Iterator[str]:
    for item in items:
        if isinstance(item, FetchSection):
            if item.form is not SectionForm.STORED:
                yield "BINARY"
        elif isinstance(item, FetchAnnotation):
            yield ANNOTATE
        elif item in _ITEMS:
            yield _ITEMS[item]


def _of_search(search: Search) -> Iterator[str]:
    yield from _of_key(search.key)
    yield from _of_items(search.update_items)
    sorts = isinstance(search, Sort)
    if isinstance(search, Sort):
        yield from (_SORT[criterion.key] for criterion in search.criteria if criterion.key in _SORT)
    if search.returns is None:
        return
    if not isinstance(search, MultiSearch):  # RETURN is part of that command
        yield "ESORT" if sorts else "ESEARCH"
    if not search.returns.isdisjoint(("CONTEXT", "UPDATE")):
        yield "CONTEXT=SORT" if sorts else "CONTEXT=SEARCH"
    if search.update_items:
        yield "NOTIFY"
    if "PARTIAL" in search.returns:
        yield "PARTIAL"
    if "RELEVANCY" in search.returns:
        yield "SEARCH=FUZZY"
    if "SAVE" in search.returns:
        yield "SEARCHRES"


def _of_key(key: keys.SearchKey) -> Iterator[str]:
    for found in keys.all_keys(key):
        match found:
            case keys.Fuzzy():
                yield "SEARCH=FUZZY"
            case keys.AnnotationKey():
                yield ANNOTATE
            case keys.AgeKey():
                yield "WITHIN"
            case keys.BoundKey():
                yield "MESSAGELIMIT"
            case keys.ModseqKey():
                yield "CONDSTORE"
            case keys.EmailKey() | keys.ThreadKey():
                yield "OBJECTID"
            case keys.AllMessages(savedate=True) | keys.DateKey(field=keys.DateField.SAVED):
                yield "SAVEDATE"
            case _:
                pass


def _of_list(command: List) -> Iterator[str]:
    if command.extended:
        yield "LIST-EXTENDED"
    yield from (_LIST[name] for name in command.select | command.returns if name in _LIST)
    yield from (_STATUS[item] for item in command.status if item in _STATUS)


def _of_append(event: AppendStart | AppendNext | AppendEnd) -> Iterator[str]:
    if any(isinstance(piece, MessageHead) and piece.annotations for piece in event.pieces):
        yield ANNOTATE
    heads = sum(isinstance(piece, MessageHead) for piece in event.pieces)
    if heads > (1 if isinstance(event, AppendStart) else 0):
        yield "MULTIAPPEND"
    if any(isinstance(piece, UrlPart) for piece in event.pieces):
        yield "CATENATE"
    if isinstance(event, AppendEnd) or event.text is None:
        return
    if event.text.within in (Within.CATENATE, Within.CATENATE_UTF8):
        yield "CATENATE"
    if event.text.within in (Within.UTF8, Within.CATENATE_UTF8):
        yield "UTF8=ACCEPT"
    if event.text.binary and event.text.within in (Within.MESSAGE, Within.CATENATE):
        yield "BINARY"
