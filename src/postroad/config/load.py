"""Reading the settings file; every mistake is found, placed and explained at once."""

import ipaddress
import re
import ssl
import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from postroad.config import lines
from postroad.config.errors import ConfigError, nearest, together
from postroad.config.fields import Field, Kind, fields_of
from postroad.config.judge_logins import judge_logins
from postroad.config.judge_sender_auth import judge_sender_auth
from postroad.config.receiving import LONGEST_TARPIT, Receiving
from postroad.config.settings import Listener, Settings, machine_name, split_address
from postroad.config.values import parse_duration, parse_size
from postroad.model.address import AddressError, parse_mailbox
from postroad.model.dns_list import parse_list
from postroad.model.networks import Networks

S = TypeVar("S", bound=msgspec.Struct)
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+", re.IGNORECASE)
_SYNTAX_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: Path) -> Settings:
    """Read a settings file. Relative paths in it are taken from where it lies.

    Raises:
        ConfigError: with every mistake in it, in `mistakes`.
    """
    text = _read(path)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from None
    reading = _Reading(path, text)
    values = reading.table(Settings, raw, ())
    if reading.mistakes:
        raise together(reading.mistakes)
    settings = Settings(**values)
    reading.judge(settings)
    if reading.mistakes:
        raise together(reading.mistakes)
    return msgspec.structs.replace(
        settings,
        hostname=settings.hostname or machine_name(),
        data=path.parent.absolute() / settings.data,
        source=path.absolute(),
    )


def missing_files(settings: Settings) -> list[ConfigError]:
    """Say which files the settings name that cannot be read by this user."""
    file = str(settings.source or "")
    found = []
    tls, openid = settings.tls, settings.openid
    for key, named in (
        ("tls.certificate", tls.certificate),
        ("tls.key", tls.key),
        ("tls.client_ca", tls.client_ca),
        ("openid.client_secret", openid.client_secret),
        ("openid.ca", openid.ca),
    ):
        if named is None:
            continue
        try:
            named.open("rb").close()
            if key in ("tls.client_ca", "openid.ca"):
                ssl.create_default_context().load_verify_locations(named)
        except ssl.SSLError:
            found.append(ConfigError(file, 0, key, f"{named}: holds no certificate in PEM"))
        except OSError as error:
            found.append(ConfigError(file, 0, key, f"{named}: {error.strerror}"))
    return found


def _read(path: Path) -> str:
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), 0, "", f"cannot be read: {error.strerror}") from None
    try:
        return octets.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError(str(path), line, "", "is not UTF-8 here; save the file as UTF-8") from None


def _syntax_error(path: Path, text: str, message: str) -> ConfigError:
    place = _SYNTAX_PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    what = _SYNTAX_PLACE.sub("", message)
    if what == "Invalid value":
        what += '; text and units need quotes, as in "50 MiB"'
    return ConfigError(str(path), line, "", f"is not TOML: {what[:1].lower()}{what[1:]}")


class _Reading:
    """One pass over one file: turns raw values into settings and collects mistakes."""

    def __init__(self, path: Path, text: str) -> None:
        self.mistakes: list[ConfigError] = []
        self._path = path
        self._text = text
        self._places: dict[lines.Path, int] | None = None

    def mistake(self, at: lines.Path, message: str) -> None:
        """Note a mistake at a key, or at the nearest table above it that is in the file."""
        if self._places is None:
            self._places = lines.lines_of(self._text)
        key = ".".join(f"{part}" if isinstance(part, str) else f"{part + 1}" for part in at)
        line, above = 0, at
        while above and not line:
            line, above = self._places.get(above, 0), above[:-1]
        self.mistakes.append(ConfigError(str(self._path), line, key, message))

    def table(self, struct: type[msgspec.Struct], raw: dict[str, Any], at: lines.Path) -> dict[str, Any]:
        """Return the attributes that a table sets; what is unknown or wrong becomes a mistake."""
        fields = {field.name: field for field in fields_of(struct)}
        values: dict[str, Any] = {}
        for name, value in raw.items():
            field = fields.get(name)
            if field is None:
                self._unknown(name, value, fields, at)
                continue
            try:
                values[field.attribute] = self._value(field, value, (*at, name))
            except ValueError as error:
                self.mistake((*at, name), str(error))
        for name, field in fields.items():
            if field.required and name not in raw:
                self.mistake((*at, name), f"is missing: {field.about}")
        return values

    def _unknown(self, name: str, value: Any, fields: dict[str, Field], at: lines.Path) -> None:
        what = "table" if isinstance(value, dict) else "setting"
        if not at and (elsewhere := _table_with(name)):
            self.mistake((*at, name), f"there is no such {what} here; it belongs under [{elsewhere}]")
        elif meant := nearest(name, fields):
            self.mistake((*at, name), f'there is no such {what}; did you mean "{meant}"?')
        else:
            self.mistake((*at, name), f"there is no such {what}; valid here: {', '.join(fields)}")

    def _value(self, field: Field, value: Any, at: lines.Path) -> Any:
        match field.kind, value:
            case Kind.TABLE, dict():
                assert field.struct is not None
                return self._struct(field.struct, value, at)
            case Kind.TABLES, list() if all(isinstance(item, dict) for item in value):
                assert field.struct is not None
                return tuple(self._struct(field.struct, item, (*at, i)) for i, item in enumerate(value))
            case Kind.TABLE, _:
                raise ValueError(f"is a table; write [{field.name}] on a line of its own")
            case Kind.TABLES, _:
                raise ValueError(f"is a list of tables; write [[{field.name}]] on a line of its own for each")
            case Kind.PATH, str() if value:
                return self._path.parent.absolute() / value
            case Kind.PATH, str():
                return None
        return scalar(field, value)

    def _struct(self, struct: type[S], raw: dict[str, Any], at: lines.Path) -> S | None:
        before = len(self.mistakes)
        values = self.table(struct, raw, at)
        return struct(**values) if len(self.mistakes) == before else None

    def judge(self, settings: Settings) -> None:
        """Look for what is wrong only in the light of other settings."""
        if any(character.isspace() for character in settings.hostname):
            self.mistake(("hostname",), f'"{settings.hostname}" is not a host name')
        if (settings.tls.certificate is None) != (settings.tls.key is None):
            given, wanted = ("key", "certificate") if settings.tls.key else ("certificate", "key")
            self.mistake(("tls", given), f"needs tls.{wanted} beside it")
        if settings.imap.admin and not _URI.match(settings.imap.admin):
            self.mistake(("imap", "admin"), "must be a URI, as in mailto:postmaster@example.org")
        for address in settings.imap.administrators:
            if (why := _why_no_address(address)) is not None:
                self.mistake(("imap", "administrators"), f'"{address}" is not an address: {why}')
        for at, message in (*judge_logins(settings), *judge_sender_auth(settings.sender_auth)):
            self.mistake(at, message)
        self._judge_listeners(settings.listeners)
        for server in settings.dns.servers:
            if not _is_resolver(server):
                self.mistake(("dns", "servers"), f'"{server}" is not an IP address, with or without a port')
        if settings.metrics.address and not _is_loopback(settings.metrics.address):
            self.mistake(("metrics", "address"), 'must be on loopback, as in "127.0.0.1:9725"')
        target = settings.backup.target
        if target and not target.startswith(("/", "ssh://", "s3://")):
            self.mistake(("backup", "target"), "must be a whole path, or begin with ssh:// or s3://")
        self._judge_receiving(settings.receiving)
        queue = settings.queue
        if queue.retry_first > queue.retry_max:
            self.mistake(("queue", "retry_max"), "is shorter than queue.retry_first")
        limits = settings.limits
        if limits.errors_soft > limits.errors_hard:
            self.mistake(("limits", "errors_hard"), "is less than limits.errors_soft")
        if limits.smtp_line < 512:
            self.mistake(("limits", "smtp_line"), "must be 512 or more (RFC 5321 §4.5.3.1.4)")

    def _judge_receiving(self, receiving: Receiving) -> None:
        for text in receiving.lists:
            try:
                parse_list(text)
            except ValueError as error:
                self.mistake(("receiving", "lists"), str(error))
        try:
            Networks(receiving.allow)
        except ValueError as error:
            self.mistake(("receiving", "allow"), str(error))
        if receiving.tarpit > LONGEST_TARPIT:
            self.mistake(("receiving", "tarpit"), "is longer than 2 minutes: other servers would be gone")

    def _judge_listeners(self, listeners: tuple[Listener, ...]) -> None:
        seen: dict[str, int] = {}
        for index, listener in enumerate(listeners):
            at = ("listener", index, "address")
            if reason := _why_not_there(listener):
                self.mistake(at, reason)
                continue
            first = seen.setdefault(listener.address, index)
            if first != index and (listener.port or listener.is_unix):
                self.mistake(at, f'"{listener.address}" is already taken by listener {first + 1}')
            for name in ("proxy_from", "xclient_from"):
                try:
                    Networks(getattr(listener, name))
                except ValueError as error:
                    self.mistake(("listener", index, name), str(error))
            if listener.greeting_delay:
                self._judge_greeting(listener, index)
            if listener.xclient_from and listener.role not in ("smtp", "submission"):
                self.mistake(("listener", index, "xclient_from"), "is for smtp and submission alone")
            if listener.passwords_in_clear and (reason := _why_not_in_clear(listener)):
                self.mistake(("listener", index, "passwords_in_clear"), reason)

    def _judge_greeting(self, listener: Listener, index: int) -> None:
        at = ("listener", index, "greeting_delay")
        if listener.role != "smtp":
            self.mistake(at, "is for smtp alone")
        try:
            parse_duration(listener.greeting_delay)
        except ValueError as error:
            self.mistake(at, str(error))


def scalar(field: Field, value: Any) -> Any:
    """Turn one written value into a setting.

    Raises:
        ValueError: it is not of the kind wanted; the message is for people.
    """
    match field.kind, value:
        case Kind.SWITCH, bool():
            return value
        case Kind.SWITCH, _:
            raise ValueError("must be true or false, without quotes")
        case (_, bool()):
            raise ValueError("cannot be true or false")
        case Kind.COUNT, int() if value >= 1:
            return value
        case Kind.COUNT, _:
            raise ValueError("must be a whole number, 1 or more, without quotes")
        case Kind.NATURAL, int() if value >= 0:
            return value
        case Kind.NATURAL, _:
            raise ValueError("must be a whole number, 0 or more, without quotes")
        case Kind.SIZE, str():
            return parse_size(value)
        case Kind.SIZE, int() if value >= 0:
            return value
        case Kind.SIZE, _:
            raise ValueError('must be a size such as "50 MiB"')
        case Kind.DURATION, str():
            return parse_duration(value)
        case Kind.DURATION, int() | float() if value >= 0:
            return float(value)
        case Kind.DURATION, _:
            raise ValueError('must be a duration such as "30 s" or "5 days"')
        case Kind.CHOICE, str() if value in field.choices:
            return value
        case Kind.CHOICE, _:
            meant = nearest(str(value), field.choices)
            hint = f'; did you mean "{meant}"?' if meant else ""
            raise ValueError(f'"{value}" is not one of {", ".join(field.choices)}{hint}')
        case Kind.TEXTS, list() if all(isinstance(item, str) for item in value):
            return tuple(value)
        case Kind.TEXTS, _:
            raise ValueError('must be a list of texts, as in ["one", "two"]')
        case _, str():
            return value
        case _:
            raise ValueError("must be a text in quotes")


def _table_with(name: str) -> str:
    for field in fields_of(Settings):
        if field.struct is not None and any(inner.name == name for inner in fields_of(field.struct)):
            return field.name
    return ""


def _why_no_address(text: str) -> str | None:
    try:
        parse_mailbox(text)
    except AddressError as error:
        return str(error)
    return None


def _is_resolver(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        try:
            ipaddress.ip_address(split_address(text)[0])
        except ValueError:
            return False
    return True


def _why_not_there(listener: Listener) -> str:
    """What is wrong with the address of a listener; empty: nothing."""
    if listener.is_unix:
        if listener.role != "lmtp":
            return "a Unix socket is for lmtp alone"
        if listener.tls == "implicit" or listener.proxy_from:
            return "a Unix socket has neither TLS from the first octet nor a proxy in front of it"
        return "" if listener.host.startswith("/") else "a Unix socket needs a whole path"
    try:
        split_address(listener.address)
    except ValueError as error:
        return str(error)
    if listener.role == "lmtp" and not _is_loopback(listener.address):
        # RFC 2033 §5. Whoever reaches it passes every check on senders.
        return "lmtp is for a Unix socket or loopback: whoever connects is believed"
    return ""


def _why_not_in_clear(listener: Listener) -> str:
    """Passwords may do without TLS where nobody can listen in (RFC 8314 §3); empty: there they may."""
    if listener.role not in ("imap", "pop3"):
        return "is for imap and pop3 alone"
    if listener.tls != "none":
        return 'needs tls = "none" beside it'
    return "" if _is_loopback(listener.address) else "is for loopback alone: anybody could listen in"


def _is_loopback(text: str) -> bool:
    try:
        host, _ = split_address(text)
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
