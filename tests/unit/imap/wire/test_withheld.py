"""What is switched off for a user is refused as unknown, and nothing else is."""

import re

import pytest

from postroad.imap.capabilities import OFFERED, capabilities
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.extensions import Extension
from postroad.imap.wire.table import RULES, State
from postroad.model.switches import SWITCHABLE, NoSuchSwitch, canonical, withheld

USES = {
    "ACL": "MYRIGHTS INBOX",
    "ANNOTATE-EXPERIMENT-1": "STORE 1 ANNOTATION (/comment (value.priv NIL))",
    "BINARY": "FETCH 1 BINARY.SIZE[1]",
    "CATENATE": "APPEND INBOX CATENATE (URL x)",
    "COMPRESS=DEFLATE": "COMPRESS DEFLATE",
    "CONDSTORE": "STORE 1 (UNCHANGEDSINCE 1) FLAGS ()",
    "CONTEXT=SEARCH": "SEARCH RETURN (UPDATE) ALL",
    "CONTEXT=SORT": "SORT RETURN (CONTEXT) (DATE) UTF-8 ALL",
    "CREATE-SPECIAL-USE": "CREATE x (USE (\\Sent))",
    "ESEARCH": "UID SEARCH RETURN () ALL",
    "ESORT": "SORT RETURN (MIN) (DATE) UTF-8 ALL",
    "I18NLEVEL=2": "COMPARATOR default",
    "IDLE": "IDLE",
    "LIST-EXTENDED": 'LIST (SUBSCRIBED) "" *',
    "LIST-METADATA": 'LIST "" * RETURN (METADATA (/shared/comment))',
    "LIST-MYRIGHTS": 'LIST "" * RETURN (MYRIGHTS)',
    "LIST-STATUS": 'LIST "" * RETURN (STATUS (MESSAGES))',
    "MESSAGELIMIT": "SEARCH OR UIDAFTER 1 NOT UIDBEFORE 9",
    "METADATA": "NOTIFY SET (PERSONAL (ServerMetadataChange))",
    "MOVE": "UID MOVE 1 x",
    "MULTIAPPEND": "APPEND INBOX CATENATE (URL x) CATENATE (URL y)",
    "MULTISEARCH": "ESEARCH IN (PERSONAL) ALL",
    "NAMESPACE": "NAMESPACE",
    "NOTIFY": "SEARCH RETURN (UPDATE (UID)) ALL",
    "OBJECTID": "SEARCH NOT EMAILID x",
    "PARTIAL": "UID FETCH 1 FLAGS (PARTIAL 1:2)",
    "PREVIEW": "FETCH 1 PREVIEW (LAZY)",
    "QRESYNC": "SELECT INBOX (QRESYNC (1 1))",
    "QUOTA": "STATUS INBOX (DELETED-STORAGE)",
    "QUOTASET": 'SETQUOTA "" (STORAGE 1)',
    "REPLACE": "REPLACE 1 INBOX CATENATE (URL x)",
    "SAVEDATE": "SEARCH OR SAVEDATESUPPORTED SEEN",
    "SEARCH=FUZZY": "SORT (RELEVANCY) UTF-8 FUZZY TEXT x",
    "SEARCHRES": "SEARCH RETURN (SAVE) ALL",
    "SORT": "SORT (DATE) UTF-8 ALL",
    "SORT=DISPLAY": "SORT (DISPLAYTO) UTF-8 ALL",
    "SPECIAL-USE": 'LIST (SPECIAL-USE) "" *',
    "STATUS=SIZE": 'LIST "" * RETURN (STATUS (SIZE))',
    "THREAD=ORDEREDSUBJECT": "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "THREAD=REFERENCES": "UID THREAD REFERENCES UTF-8 ALL",
    "THREAD=REFS": "THREAD REFS UTF-8 ALL",
    "UIDBATCHES": "UIDBATCHES 1000",
    "UIDPLUS": "UID EXPUNGE 1",
    "UNAUTHENTICATE": "UNAUTHENTICATE",
    "UNSELECT": "UNSELECT",
    "URLAUTH": "RESETKEY",
    "URLAUTH=BINARY": "URLFETCH (x BODY)",
    "UTF8=ACCEPT": "APPEND INBOX UTF8 (~{3}",
    "WITHIN": "SEARCH YOUNGER 60",
}
BY_ENABLE_ALONE = {"IMAP4rev2", "UIDONLY"}
ONLY_TOLD = {"INPROGRESS", "SAVELIMIT"}


def taken(command: str, off: frozenset[str]) -> bool:
    """Whether the core lets a command through to the session."""
    core = ImapServerCore()
    core.state = State.SELECTED
    core.offer_only(OFFERED | {Extension.QRESYNC}, off)
    core.receive(f"a {command}\r\n".encode())
    event = core.next_event()
    answer = core.data_to_send()
    assert (event is None) == answer.startswith(b"a BAD "), answer
    return event is not None


def advertised(off: frozenset[str]) -> list[str]:
    said = capabilities(
        State.AUTHENTICATED,
        mechanisms=(),
        tls_offered=False,
        append_limit=1,
        message_limit=0 if "MESSAGELIMIT" in off else 3,
        save_limit=0 if "SAVELIMIT" in off else 2,
        compressed=False,
        administers=True,
        withheld=off,
    )
    return re.sub(rb"((?:MESSAGE|SAVE)LIMIT)=[0-9]+", rb"\1", said).decode().split()


def test_there_is_an_example_of_each() -> None:
    assert {name for name in SWITCHABLE if ":" not in name} == USES.keys() | BY_ENABLE_ALONE | ONLY_TOLD
    assert {rule.capability for rule in RULES.values()} <= {"", *SWITCHABLE}
    assert {name for name in SWITCHABLE if ":" not in name} <= set(advertised(frozenset()))


@pytest.mark.parametrize("name", USES)
def test_it_is_refused_where_it_is_off(name: str) -> None:
    assert taken(USES[name], frozenset())
    assert not taken(USES[name], withheld([name]))


@pytest.mark.parametrize("name", USES)
def test_nothing_else_is_refused(name: str) -> None:
    used_too = {
        "CATENATE",
        "SORT",
        "ESEARCH",
        "LIST-EXTENDED",
        "LIST-STATUS",
        "NOTIFY",
        "SEARCH=FUZZY",
        "BINARY",
        "CONDSTORE",
    }
    others = [other for other in USES if other not in used_too and name not in withheld([other])]
    if name == "NOTIFY":  # RFC 5465 §7: UPDATE with items is of both
        others.remove("CONTEXT=SEARCH")
    assert taken(USES[name], frozenset(others))


def test_a_command_without_extensions_is_always_taken() -> None:
    off = withheld(list(SWITCHABLE))
    for command in (
        "SELECT INBOX",
        "FETCH 1 (FLAGS BODY[])",
        "UID FETCH 1 ALL",
        "SEARCH UNSEEN",
        "STORE 1 +FLAGS (\\Seen)",
        "COPY 1 x",
        'LIST "" *',
        "STATUS INBOX (MESSAGES UIDNEXT)",
        "EXPUNGE",
        "APPEND INBOX {1}",
        "CREATE x",
    ):
        assert taken(command, off), command
    assert advertised(off) == [
        *("IMAP4rev1", "SASL-IR", "ID", "ENABLE", "LANGUAGE", "LITERAL+", "CHILDREN"),
        *("I18NLEVEL=1", "APPENDLIMIT=1"),
    ]


def test_a_second_message_behind_a_literal_is_refused() -> None:
    core = ImapServerCore()
    core.state = State.AUTHENTICATED
    core.offer_only(OFFERED, frozenset({"MULTIAPPEND"}))
    core.receive(b"a APPEND INBOX {1+}\r\nx {1+}\r\ny\r\nb NOOP\r\n")
    assert core.next_event() is not None
    core.accept_literal()
    events = []
    while (event := core.next_event()) is not None:
        events.append(type(event).__name__)
    assert events == ["LiteralChunk", "AppendAborted", "Noop"]
    assert core.data_to_send() == b"a BAD there is no such argument\r\n"


def test_deleted_of_status_came_with_two() -> None:
    assert taken("STATUS INBOX (DELETED)", withheld(["QUOTA"]))
    assert taken("STATUS INBOX (DELETED)", withheld(["MOVE"]))
    assert not taken("STATUS INBOX (DELETED)", withheld(["QUOTA", "MOVE"]))


def test_what_stands_on_it_goes_with_it() -> None:
    assert withheld([]) == frozenset()
    assert withheld(["ESEARCH"]) >= {"SEARCHRES", "CONTEXT=SORT", "IMAP4rev2"}
    assert withheld(["THREAD=REFS"]) == {"THREAD=REFS"}
    assert withheld(["ACL"]) == {"ACL", "LIST-MYRIGHTS", "RIGHTS=texkn"}


def test_names_are_read_in_any_case_and_mistakes_are_told() -> None:
    assert canonical("imap4REV2") == "IMAP4rev2"
    with pytest.raises(NoSuchSwitch, match='did you mean "CONDSTORE"'):
        canonical("CONSTORE")
    with pytest.raises(NoSuchSwitch, match=r"no capability that can be switched off$"):
        canonical("XYZZY")


@pytest.mark.parametrize("arguments", ['() "" *', '"" (a b)', '"" * RETURN ()', '"" * RETURN (CHILDREN)'])
def test_list_in_the_extended_form_is_refused(arguments: str) -> None:
    assert taken(f"LIST {arguments}", frozenset())
    assert not taken(f"LIST {arguments}", frozenset({"LIST-EXTENDED"}))


@pytest.mark.parametrize(
    "command",
    [
        "SELECT INBOX (ANNOTATE)",
        "FETCH 1 (FLAGS ANNOTATION (* value))",
        "UID SEARCH OR SEEN ANNOTATION * value NIL",
        "SORT (ARRIVAL REVERSE ANNOTATION /comment value.priv) UTF-8 ALL",
        "APPEND INBOX ANNOTATION (/comment (value.priv NIL)) {1}",
        "NOTIFY SET (selected (MessageNew MessageExpunge AnnotationChange))",
    ],
)
def test_annotations_are_refused_wherever_they_stand(command: str) -> None:
    assert taken(command, frozenset())
    assert not taken(command, withheld(["ANNOTATE-EXPERIMENT-1"]))


def test_unauthenticate_forgets_it() -> None:
    core = ImapServerCore()
    core.state = State.AUTHENTICATED
    core.offer_only(OFFERED, frozenset({"IDLE"}))
    core.offer_only(OFFERED)
    core.receive(b"a IDLE\r\n")
    assert core.next_event() is not None
