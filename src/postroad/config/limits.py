"""Every limit that a stranger or a user can run into, with its default.

One name, one number: what is refused because of a limit names it in log and
metrics. The struct stands here, below everything that applies limits, because
it is the `[limits]` table of the settings.
"""

from typing import Annotated, Final

import msgspec

from postroad.config.fields import Count, Duration, Natural, Size

KIB: Final = 1024
MIB: Final = 1024 * 1024
MINUTE: Final = 60.0
DAY: Final = 24 * 3600.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The `[limits]` table."""

    # Messages
    message_size: Annotated[Size, "Largest message, in and out (SIZE, APPENDLIMIT)."] = 50 * MIB
    header_size: Annotated[Size, "Largest header block of a message."] = 256 * KIB
    header_fields: Annotated[Count, "Most header fields in a message."] = 1000
    header_field_size: Annotated[Size, "Largest single header field."] = 64 * KIB
    hop_count: Annotated[Count, "Received fields beyond which a message is taken to loop."] = 50
    recipients: Annotated[Count, "Recipients of one message from a stranger (LIMITS RCPTMAX)."] = 100
    recipients_authenticated: Annotated[Count, "Recipients of one message from a user."] = 500
    send_messages_hour: Annotated[Natural, "Messages that an account may send within an hour; 0: any."] = 0
    send_messages_day: Annotated[Natural, "Messages that an account may send within a day; 0: any."] = 0
    send_recipients_hour: Annotated[
        Natural, "People elsewhere to whom an account may write for the first time, within an hour; 0: any."
    ] = 0
    send_recipients_day: Annotated[
        Natural, "People elsewhere to whom an account may write for the first time, within a day; 0: any."
    ] = 0
    hold_time: Annotated[
        Duration, "For how long a message may be held before it goes (FUTURERELEASE); 0: none is."
    ] = 30 * DAY
    hold_messages: Annotated[Count, "Messages of one account that are held so at a time."] = 1000
    deliver_by: Annotated[
        Duration, "Shortest time after which a message may be asked to come back undelivered (DELIVERBY)."
    ] = MINUTE
    priority: Annotated[
        Natural, "Highest priority that a user may give a message, to 9 (MT-PRIORITY); 0: none above others."
    ] = 9
    messages: Annotated[Count, "MAIL commands in one SMTP session (LIMITS MAILMAX)."] = 1000

    # Lines
    smtp_line: Annotated[Size, "Longest SMTP command line."] = 4096
    data_line: Annotated[Size, "Longest line of a message while it comes in."] = 64 * KIB
    imap_line_prelogin: Annotated[Size, "Longest IMAP command before log-in, literals included."] = 8 * KIB
    imap_line: Annotated[Size, "Longest IMAP command after log-in, its literals apart."] = 64 * KIB
    imap_literal: Annotated[Size, "Largest IMAP literal that is not a message."] = 64 * KIB
    imap_literals_size: Annotated[Size, "All such literals of one command together."] = 256 * KIB
    imap_literals: Annotated[Count, "Literals in one IMAP command."] = 100
    imap_inflate_step: Annotated[Size, "Octets that COMPRESS inflates at a time."] = 64 * KIB
    imap_contexts: Annotated[Count, "Results that one IMAP session may follow (RETURN (UPDATE))."] = 10
    imap_context_messages: Annotated[Count, "Messages in all of them together."] = 500_000
    imap_search_mailboxes: Annotated[Count, "Mailboxes that one ESEARCH looks into."] = 1000
    imap_message_limit: Annotated[
        Natural, "Messages that one FETCH, STORE, SEARCH, COPY, MOVE looks at (MESSAGELIMIT); 0: any."
    ] = 1_000_000
    imap_save_limit: Annotated[
        Natural, "Messages of one COPY or APPEND (SAVELIMIT), of APPEND never more than 1000; 0: any."
    ] = 100_000
    imap_notify_mailboxes: Annotated[
        Count, "Mailboxes that NOTIFY watches, of the user; and as many of others together."
    ] = 1000
    imap_thread_identifiers: Annotated[
        Count, "Message-IDs that one THREAD looks at, of messages and of those they answer."
    ] = 500_000

    # Connections
    connections: Annotated[Count, "Open connections in all, over all workers."] = 10_000
    connections_per_address: Annotated[Count, "Open connections of one address (IPv6: one /64)."] = 50
    unauthenticated_per_address: Annotated[Count, "Those of them that have not logged in."] = 20
    connection_rate: Annotated[Count, "New connections a minute from one address."] = 120
    imap_sessions_per_user: Annotated[Count, "IMAP sessions of one account."] = 50
    imap_sessions_per_user_address: Annotated[Count, "Those of them from one address."] = 10

    uncounted_addresses: Annotated[
        tuple[str, ...],
        "Addresses that the numbers per address and per user do not apply to: the machine itself, "
        "where proxies, monitors and tools connect from. They gain no other right.",
    ] = ("127.0.0.1", "::1")

    # Time
    greeting_timeout: Annotated[Duration, "From the greeting to the first command."] = 30
    command_timeout: Annotated[
        Duration,
        "For one whole SMTP command, and one of IMAP or POP3 before log-in, however slowly it drips.",
    ] = 60
    data_timeout: Annotated[Duration, "For the whole of a message."] = 600
    data_rate: Annotated[Size, "Octets a second below which a message is given up."] = 500
    imap_idle_timeout: Annotated[Duration, "Silence after which an IMAP session ends."] = 1800
    pop3_timeout: Annotated[Duration, "Silence after which a POP3 session ends, deleting nothing."] = 600
    unread_timeout: Annotated[Duration, "How long a peer may leave what we send unread."] = 300

    # Misbehaviour
    errors_soft: Annotated[Count, "Errors in a session after which each costs time."] = 5
    error_delay: Annotated[Duration, "What each such error costs (a tarpit)."] = 1
    errors_hard: Annotated[Count, "Errors in a session that end it."] = 10
    junk_commands: Annotated[
        Count, "NOOP, RSET, EHLO and the like between messages; IMAP's and POP3's before log-in."
    ] = 50
    unknown_recipients: Annotated[Count, "Unknown recipients that end a session."] = 20
    unknown_recipients_day: Annotated[Count, "Unknown recipients a day from one address."] = 35

    # Log-ins
    auth_per_connection: Annotated[Count, "Failed log-ins that end a connection."] = 10
    auth_per_minute_address: Annotated[Count, "Failed log-ins a minute from one address."] = 10
    auth_per_day_address: Annotated[Count, "Failed log-ins a day from one address."] = 50
    auth_per_hour_account: Annotated[
        Count, "Failed log-ins an hour into one account, from all addresses."
    ] = 600
    auth_delay: Annotated[Duration, "What a failed log-in costs; doubles with each further one."] = 1
    auth_delay_max: Annotated[Duration, "What it costs at most."] = 15
    app_passwords: Annotated[Count, "App passwords of one account; SCRAM tries each of them."] = 50

    # Store
    free_space: Annotated[Size, "Free disk below which no mail is taken in."] = 64 * MIB
    mailboxes: Annotated[Count, "Mailboxes of one account, and names subscribed."] = 10_000
    tombstones: Annotated[
        Count, "Expunged messages that a mailbox remembers for clients that come back, counted once a day."
    ] = 200_000
    mailbox_depth: Annotated[Count, "Levels of a mailbox name."] = 20
    metadata_entries: Annotated[
        Count, "Annotations of one mailbox, or of the server: everybody's, and of each user (METADATA)."
    ] = 100
    metadata_value: Annotated[Size, "Largest value of one of them."] = 64 * KIB
    metadata_size: Annotated[
        Size, "All of them in one account; each counts 500 octets beside its name and value."
    ] = 16 * MIB
    annotation_entries: Annotated[
        Count, "Annotations of one message: everybody's, and of each user (ANNOTATE)."
    ] = 100
    annotation_value: Annotated[Size, "Largest value of one of them; 1 KiB is always taken."] = 64 * KIB
    annotation_size: Annotated[
        Size, "All of them in one account; each counts 500 octets beside its name and value."
    ] = 64 * MIB
