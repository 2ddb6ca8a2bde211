"""Commands as values together with one way to write each of them."""

import re
from base64 import b64encode
from datetime import date
from typing import TypeAlias

from hypothesis import strategies as st

from postroad.imap.wire import search_keys as k
from postroad.imap.wire.command import Command
from postroad.imap.wire.fetch_items import FetchAttribute, FetchItem, FetchSection, SectionForm, SectionText
from postroad.imap.wire.mailbox_commands import (
    Create,
    Delete,
    GetQuotaRoot,
    List,
    Rename,
    Select,
    Status,
    Subscribe,
)
from postroad.imap.wire.mailbox_name import MailboxName, decode_mailbox
from postroad.imap.wire.message_commands import (
    AppendStart,
    AppendText,
    Copy,
    Fetch,
    FlagList,
    MessageHead,
    Move,
    Store,
    StoreMode,
)
from postroad.imap.wire.notification import MESSAGE_EVENTS, EventGroup, Notify, NotifyEvent
from postroad.imap.wire.ordering import SortCriterion, SortKey, ThreadAlgorithm
from postroad.imap.wire.partial_range import PartialRange
from postroad.imap.wire.responses import internaldate
from postroad.imap.wire.search_commands import CancelUpdate, MultiSearch, Search, Sort, Thread, UidBatches
from postroad.imap.wire.search_sources import SearchSource, SourceKind
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.imap.wire.session_commands import Authenticate, Login
from postroad.imap.wire.status_item import StatusItem
from postroad.message.utf7 import encode_utf7
from postroad.model.flags import NAMES, Flag

Written: TypeAlias = tuple[bytes, Command]
TAG = b"t1"
_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_QUOTABLE = re.compile(rb"[^\x00\r\n]*")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@st.composite
def spelled(draw: st.DrawFn, octets: bytes) -> bytes:
    """`octets` as an astring: bare, quoted or as a literal, whatever can be."""
    ways = [b"{%d+}\r\n%b" % (len(octets), octets)]
    if _QUOTABLE.fullmatch(octets):
        ways.append(b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
    if _ATOM.fullmatch(octets):
        ways.append(octets)
    return draw(st.sampled_from(ways))


@st.composite
def cased(draw: st.DrawFn, word: bytes) -> bytes:
    """A word of the protocol in any case."""
    return draw(st.sampled_from([word, word.lower(), word.title()]))


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
atoms = st.from_regex(rb"[A-Za-z0-9$_.-]{1,8}", fullmatch=True)
numbers = st.integers(1, 0xFFFFFFFF)
stars = st.one_of(numbers, st.none())
sets = st.builds(
    SequenceSet,
    st.lists(st.one_of(st.tuples(stars, stars), stars.map(lambda n: (n, n))), min_size=1, max_size=5).map(
        tuple
    ),
)


def write_set(value: SequenceSet) -> bytes:
    """A sequence set, ranges of one as single numbers."""

    def number(n: int | None) -> str:
        return "*" if n is None else str(n)

    return ",".join(
        number(low) if low == high else f"{number(low)}:{number(high)}" for low, high in value.ranges
    ).encode()


@st.composite
def mailboxes(draw: st.DrawFn) -> tuple[bytes, MailboxName]:
    """A name and its spelling."""
    wire = encode_utf7(draw(texts))
    return draw(spelled(wire)), decode_mailbox(wire)


@st.composite
def flag_lists(draw: st.DrawFn) -> tuple[bytes, FlagList]:
    """Flags in parentheses."""
    mask = draw(st.integers(0, 31))
    keywords = draw(st.frozensets(atoms, max_size=3))
    names = [name for flag, name in NAMES.items() if mask & flag] + list(keywords)
    return b"(%b)" % b" ".join(names), FlagList(mask, frozenset(word.decode() for word in keywords))


@st.composite
def sections(draw: st.DrawFn) -> tuple[bytes, FetchItem]:
    """BODY[…], BINARY[…] and BINARY.SIZE[…] in all their forms."""
    path = tuple(draw(st.lists(st.integers(1, 99), max_size=3)))
    kinds: list[SectionText] = ["", "HEADER", "TEXT"]
    form = draw(st.sampled_from(SectionForm))
    if form is not SectionForm.STORED:
        kinds = [""]
    elif path:
        kinds.append("MIME")
    text = draw(st.sampled_from(kinds))
    names: tuple[bytes, ...] = ()
    fields_not = False
    spec = ".".join([*map(str, path), *([text] if text else [])]).encode()
    wire = spec
    if text == "HEADER" and draw(st.booleans()):
        names = tuple(draw(st.lists(atoms, min_size=1, max_size=3)))
        fields_not = draw(st.booleans())
        suffix = b".FIELDS.NOT" if fields_not else b".FIELDS"
        spec += suffix + b" (" + b" ".join(names) + b")"
        wire += suffix + b" (" + b" ".join([draw(spelled(name)) for name in names]) + b")"
    sized = form is SectionForm.DECODED_SIZE
    peek = sized or draw(st.booleans())
    partial = None if sized else draw(st.none() | st.tuples(st.integers(0, 99), st.integers(1, 99)))
    origin, wire_partial = (b"<%d>" % partial[0], b"<%d.%d>" % partial) if partial else (b"", b"")
    label = form.value + b"[" + spec + b"]" + origin
    section = FetchSection(label, path, text, names, fields_not, peek, partial, form)
    name = form.value + (b".PEEK" if peek and not sized else b"")
    return name + b"[" + wire + b"]" + wire_partial, section


attributes = st.sampled_from(FetchAttribute).map(lambda a: (a.value, a))


@st.composite
def fetches(draw: st.DrawFn) -> Written:
    """FETCH and UID FETCH."""
    messages = draw(sets)
    chosen = draw(st.lists(attributes | sections(), min_size=1, max_size=4))
    items: tuple[FetchItem, ...] = tuple(dict.fromkeys(item for _, item in chosen))
    uid = draw(st.booleans())
    if uid and FetchAttribute.UID not in items:
        items = (FetchAttribute.UID, *items)
    since = draw(st.none() | st.integers(1, (1 << 63) - 1))
    if since and FetchAttribute.MODSEQ not in items:
        items = (*items, FetchAttribute.MODSEQ)  # RFC 7162 §3.1.4.1
    wire = b" ".join(
        [draw(cased(b"UID FETCH" if uid else b"FETCH")), write_set(messages)]
        + [b"(" + b" ".join([text for text, _ in chosen]) + b")"]
        + ([b"(CHANGEDSINCE %d)" % since] if since else [])
    )
    return wire, Fetch(TAG, messages, items, uid, since)


@st.composite
def stores(draw: st.DrawFn) -> Written:
    """STORE and UID STORE."""
    messages = draw(sets)
    modes: list[tuple[StoreMode, bytes]] = [("set", b""), ("add", b"+"), ("remove", b"-")]
    mode, sign = draw(st.sampled_from(modes))
    silent, uid = draw(st.booleans()), draw(st.booleans())
    wire_flags, flags = draw(flag_lists())
    item = sign + draw(cased(b"FLAGS.SILENT" if silent else b"FLAGS"))
    name = b"UID STORE" if uid else b"STORE"
    wire = b" ".join([name, write_set(messages), item, wire_flags])
    return wire, Store(TAG, messages, mode, flags, silent, uid)


_CONSTANTS: list[tuple[bytes, k.SearchKey]] = [
    (b"ALL", k.AllMessages()),
    (b"SEEN", k.FlagKey(Flag.SEEN, True)),
    (b"UNDRAFT", k.FlagKey(Flag.DRAFT, False)),
    (b"OLD", k.RecentKey(False)),
]


@st.composite
def _leaves(draw: st.DrawFn) -> tuple[bytes, k.SearchKey]:
    text = draw(texts)
    wire = draw(spelled(text.encode()))
    day = draw(st.dates(min_value=date(1, 1, 1)))
    written_day = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}".encode()
    word = draw(atoms)
    messages = draw(sets)
    size = draw(st.integers(0, 0xFFFFFFFF))
    field = k.DateField.SENT
    leaves: list[tuple[bytes, k.SearchKey]] = [
        (b"FROM " + wire, k.HeaderKey("From", text)),
        (b"HEADER " + word + b" " + wire, k.HeaderKey(word.decode(), text)),
        (b"BODY " + wire, k.BodyKey(text)),
        (b"TEXT " + wire, k.TextKey(text)),
        (b"KEYWORD " + word, k.KeywordKey(word.decode(), True)),
        (b"SENTON " + written_day, k.DateKey(field, k.DateTest.ON, day)),
        (b'SENTSINCE "' + written_day + b'"', k.DateKey(field, k.DateTest.SINCE, day)),
        (b"SAVEDBEFORE " + written_day, k.DateKey(k.DateField.SAVED, k.DateTest.BEFORE, day)),
        (b"EMAILID M1-%d" % size, k.EmailKey(f"M1-{size}")),
        (b"THREADID T1-%d" % size, k.ThreadKey(f"T1-{size}")),
        (b"LARGER %d" % size, k.SizeKey(size, True)),
        (write_set(messages), k.NumberKey(messages)),
        (b"UID " + write_set(messages), k.UidKey(messages)),
        (b"UIDAFTER %d" % (size or 1), k.BoundKey(size or 1, after=True)),
        (b"UIDBEFORE %d" % (size or 1), k.BoundKey(size or 1, after=False)),
    ]
    return draw(st.sampled_from(leaves))


def _combine(
    keys: st.SearchStrategy[tuple[bytes, k.SearchKey]],
) -> st.SearchStrategy[tuple[bytes, k.SearchKey]]:
    pairs = st.lists(keys, min_size=2, max_size=3)
    return st.one_of(
        keys.map(lambda key: (b"NOT " + key[0], k.Not(key[1]))),
        st.tuples(keys, keys).map(
            lambda two: (b"OR %b %b" % (two[0][0], two[1][0]), k.Or(two[0][1], two[1][1]))
        ),
        pairs.map(
            lambda many: (
                b"(%b)" % b" ".join([wire for wire, _ in many]),
                k.And(tuple(key for _, key in many)),
            )
        ),
    )


search_keys = st.recursive(st.sampled_from(_CONSTANTS) | _leaves(), _combine, max_leaves=6)


@st.composite
def searches(draw: st.DrawFn) -> Written:
    """SEARCH and UID SEARCH in UTF-8."""
    wire, key = draw(search_keys)
    uid = draw(st.booleans())
    return (b"UID SEARCH " if uid else b"SEARCH ") + b"CHARSET UTF-8 " + wire, Search(TAG, key, uid)


@st.composite
def return_options(draw: st.DrawFn) -> tuple[bytes, frozenset[str] | None, PartialRange | None]:
    """RETURN (…) with a space behind it, or nothing."""
    names = draw(
        st.none() | st.lists(st.sampled_from(["MIN", "MAX", "COUNT", "UPDATE", "CONTEXT"]), max_size=3)
    )
    if names is None:
        return b"", None, None
    ends, sign = (draw(numbers), draw(numbers)), draw(st.sampled_from([1, -1]))
    # A range may be written from either end (RFC 9394 §3.1).
    partial = draw(st.none() | st.just(PartialRange(sign * min(ends), sign * max(ends))))
    written = b"PARTIAL %d:%d" % (sign * ends[0], sign * ends[1])
    words = [name.encode() for name in names] + ([written] if partial else [])
    told = frozenset(names) | ({"PARTIAL"} if partial else set())
    return b"RETURN (%b) " % b" ".join(words), told or frozenset({"ALL"}), partial


@st.composite
def ordered_searches(draw: st.DrawFn) -> Written:
    """SORT, THREAD, ESEARCH and their like."""
    wire, key = draw(search_keys)
    returns_wire, returns, partial = draw(return_options())
    uid = draw(st.booleans())
    prefix = b"UID " if uid else b""
    special = (SortKey.RELEVANCY, SortKey.ANNOTATION)
    plain_keys = [sort_key for sort_key in SortKey if sort_key not in special]
    key_names = st.sampled_from(plain_keys)
    criterion = st.builds(SortCriterion, key_names, st.booleans(), st.just(""), st.just(False))
    criteria = tuple(draw(st.lists(criterion, min_size=1, max_size=3)))
    criteria_wire = b" ".join([b"REVERSE " * one.reverse + one.key.value for one in criteria])
    algorithm = draw(st.sampled_from(ThreadAlgorithm))
    name_wire, name = draw(mailboxes())
    sources = (SearchSource(SourceKind.SUBTREE, (name,)), SearchSource(SourceKind.SELECTED))
    ways: list[Written] = [
        (
            b"%bSORT %b(%b) UTF-8 %b" % (prefix, returns_wire, criteria_wire, wire),
            Sort(TAG, key, uid, returns, partial, criteria=criteria),
        ),
        (b"%bTHREAD %b utf-8 %b" % (prefix, algorithm.value, wire), Thread(TAG, algorithm, key, uid)),
        (
            b"ESEARCH IN (subtree (%b) selected) %bCHARSET UTF-8 %b" % (name_wire, returns_wire, wire),
            MultiSearch(TAG, key, True, returns or frozenset({"ALL"}), partial, sources=sources),
        ),
        (
            b"NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) FlagChange MessageExpunge))"
            b" (mailboxes (%b) (mailboxName)) (personal none)" % name_wire,
            Notify(
                TAG,
                (
                    EventGroup(
                        SearchSource(SourceKind.SELECTED),
                        MESSAGE_EVENTS - {NotifyEvent.ANNOTATION_CHANGE},
                        (FetchAttribute.UID, FetchAttribute.FLAGS),
                    ),
                    EventGroup(
                        SearchSource(SourceKind.MAILBOXES, (name,)), frozenset({NotifyEvent.MAILBOX_NAME})
                    ),
                    EventGroup(SearchSource(SourceKind.PERSONAL)),
                ),
                True,
            ),
        ),
        (b"NOTIFY NONE", Notify(TAG)),
        (b"UIDBATCHES 2000", UidBatches(TAG, 2000)),
        (b"UIDBATCHES 500 7:9", UidBatches(TAG, 500, 7, 9)),
        (b'CANCELUPDATE "a1" b2', CancelUpdate(TAG, (b"a1", b"b2"))),
    ]
    return draw(st.sampled_from(ways))


@st.composite
def mailbox_commands(draw: st.DrawFn) -> Written:
    """Commands with names of mailboxes."""
    wire, name = draw(mailboxes())
    other_wire, other = draw(mailboxes())
    messages = draw(sets)
    items = tuple(draw(st.lists(st.sampled_from(StatusItem), min_size=1, max_size=4, unique=True)))
    item_names = b" ".join([item.value for item in items])
    ways: list[Written] = [
        (b"SELECT " + wire, Select(TAG, name)),
        (b"EXAMINE " + wire + b" (CONDSTORE)", Select(TAG, name, True, True)),
        (b"CREATE " + wire, Create(TAG, name)),
        (b"DELETE " + wire, Delete(TAG, name)),
        (b"RENAME %b %b" % (wire, other_wire), Rename(TAG, name, other)),
        (b"UNSUBSCRIBE " + wire, Subscribe(TAG, name, False)),
        (b"STATUS %b (%b)" % (wire, item_names), Status(TAG, name, items)),
        (b"GETQUOTAROOT " + wire, GetQuotaRoot(TAG, name)),
        (b"LIST %b %b" % (wire, other_wire), List(TAG, name.name, (other.name,))),
        (b"UID COPY %b %b" % (write_set(messages), wire), Copy(TAG, messages, name, True)),
        (b"MOVE %b %b" % (write_set(messages), wire), Move(TAG, messages, name)),
    ]
    return draw(st.sampled_from(ways))


commands = st.one_of(fetches(), stores(), searches(), ordered_searches(), mailbox_commands())


@st.composite
def log_ins(draw: st.DrawFn) -> Written:
    """LOGIN and AUTHENTICATE."""
    user, password = draw(texts), draw(texts)
    if draw(st.booleans()):
        initial = password.encode()
        encoded = b64encode(initial) or b"="
        return b"AUTHENTICATE PLAIN " + encoded, Authenticate(TAG, "PLAIN", initial)
    wire = b"LOGIN %b %b" % (draw(spelled(user.encode())), draw(spelled(password.encode())))
    return wire, Login(TAG, user, password)


@st.composite
def appends(draw: st.DrawFn) -> tuple[bytes, AppendStart, bytes]:
    """APPEND: its wire form, its head and its message."""
    wire, name = draw(mailboxes())
    wire_flags, flags = draw(flag_lists())
    seconds = draw(st.integers(0, 4_000_000_000))
    message = draw(st.binary(max_size=200)).replace(b"\0", b"")
    head = b"APPEND %b %b %b {%d+}\r\n" % (wire, wire_flags, internaldate(seconds), len(message))
    return (
        head + message,
        AppendStart(TAG, name, (MessageHead(flags, seconds),), AppendText(len(message))),
        message,
    )
