"""What is kept of an address: what `account restore` and `purge` choose from, and show."""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

from postroad.cli.database import ask
from postroad.cli.here import Here
from postroad.cli.output import Column, Problem, print_json, print_table, safe
from postroad.cli.times import moment
from postroad.config.values import about_size
from postroad.db.transaction import Reader
from postroad.directory import accounts, kept_accounts
from postroad.directory.accounts import AccountInfo
from postroad.directory.kept_accounts import KeptAccount
from postroad.store import kept
from postroad.store.errors import BadMailboxName
from postroad.store.kept import Kept, KeptMailbox, Which


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of an address: of its account, and accounts that were removed."""

    account: AccountInfo | None
    messages: Sequence[Kept]
    mailboxes: Sequence[KeptMailbox]
    removed: Sequence[KeptAccount]

    @property
    def octets(self) -> int:
        """Of the messages."""
        return sum(message.size for message in self.messages)


def look(reader: Reader, address: str, which: Which) -> Found:
    """Find what is kept of an address and meant by `which`."""
    account = accounts.by_key(reader, accounts.parsed(address).key)
    removed = kept_accounts.kept_at(reader, address)
    if account is None:
        return Found(None, (), (), removed)
    try:
        messages = kept.find(reader, account.id, which)
        mailboxes = kept.find_mailboxes(reader, account.id, which)
    except BadMailboxName as error:
        raise Problem(f'"{which.mailbox}" cannot be a mailbox: {error}') from None
    return Found(account, messages, mailboxes, removed)


def print_found(here: Here, address: str, found: Found) -> None:
    """Print what can be restored, and how."""
    if here.json:
        print_json(
            {
                "messages": [_message_facts(one) for one in found.messages],
                "mailboxes": [{"name": one.name, "deleted": one.at} for one in found.mailboxes],
                "accounts": [_account_facts(one) for one in found.removed],
            }
        )
        return
    if found.messages:
        print_table(
            [
                Column("DELETED"),
                Column("MAILBOX", cut=True),
                Column("FROM", cut=True),
                Column("SUBJECT", cut=True),
            ],
            [(moment(one.at), one.mailbox, one.sender, one.subject) for one in found.messages],
        )
    for mailbox in found.mailboxes:
        here.say(f"The mailbox {safe(mailbox.name)} was deleted {moment(mailbox.at)}.")
    if found.removed:
        here.say("Accounts that had this address and were removed:")
        _removed_table(found.removed)
    if found.messages:
        here.next(f"postroad account restore {address} --mailbox {quote(safe(found.messages[0].mailbox))}")
    elif found.removed and found.account is None:
        here.next(f"postroad account restore {address}")
    elif not (found.mailboxes or found.removed):
        here.say("Nothing that was deleted can be restored.")


def list_removed(here: Here, domain: str | None) -> None:
    """Print the accounts that were removed and can be restored."""
    found = ask(here, lambda reader: kept_accounts.kept_accounts(reader, domain))
    if here.json:
        print_json([_account_facts(one) for one in found])
    elif found:
        _removed_table(found)
        here.next(f"postroad account restore {found[0].address.unicode}")
    else:
        here.say("No removed account can be restored.")


def _removed_table(found: Sequence[KeptAccount]) -> None:
    print_table(
        [
            Column("NUMBER", "right"),
            Column("ADDRESS", cut=True),
            Column("REMOVED"),
            Column("BY"),
            Column("MESSAGES", "right"),
            Column("SIZE", "right"),
        ],
        [
            (one.id, one.address.unicode, moment(one.at), one.who, one.messages, about_size(one.octets))
            for one in found
        ],
    )


def _message_facts(one: Kept) -> dict[str, Any]:
    return {
        "deleted": one.at,
        "mailbox": one.mailbox,
        "uid": one.uid,
        "from": one.sender,
        "subject": one.subject,
        "message_id": one.msgid,
        "size": one.size,
        "internal_date": one.internal_date,
    }


def _account_facts(one: KeptAccount) -> dict[str, Any]:
    return {
        "number": one.id,
        "address": str(one.address),
        "name": one.name,
        "removed": one.at,
        "who": one.who,
        "messages": one.messages,
        "octets": one.octets,
        "aliases": list(one.aliases),
    }
