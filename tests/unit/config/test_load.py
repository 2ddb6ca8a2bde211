"""Every mistake in a settings file is found and placed, several at once."""

from pathlib import Path

import pytest

from postroad.config.errors import ConfigError
from postroad.config.example import example, show
from postroad.config.fields import Kind, fields_of
from postroad.config.load import load, missing_files
from postroad.config.settings import Settings, defaults, split_address


def settings_from(directory: Path, text: str) -> Settings:
    path = directory / "postroad.toml"
    path.write_bytes(text.encode())
    return load(path)


def mistakes_in(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        settings_from(directory, text)
    return [f"{m.line} {m.key}: {m.message}" for m in caught.value.mistakes]


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, "")
    assert settings.data == tmp_path / "data"
    assert settings.listeners == defaults(tmp_path).listeners
    assert settings.limits.message_size == 50 * 2**20
    assert settings.hostname
    assert settings.source == tmp_path / "postroad.toml"


def test_units_paths_and_tables_are_read(tmp_path: Path) -> None:
    settings = settings_from(
        tmp_path,
        """
        hostname = "mx.ours.test"
        data = "/srv/mail"
        [tls]
        certificate = "cert.pem"
        key = "/etc/key.pem"
        [queue]
        retry_first = "1 min"
        lifetime = 3600
        [limits]
        message_size = "10 MB"
        [[listener]]
        role = "imap"
        address = "[::1]:993"
        tls = "implicit"
        """,
    )
    assert settings.hostname == "mx.ours.test"
    assert settings.data == Path("/srv/mail")
    assert settings.tls.certificate == tmp_path / "cert.pem"
    assert settings.queue.retry_first == 60
    assert settings.queue.lifetime == 3600
    assert settings.limits.message_size == 10_000_000
    (listener,) = settings.listeners
    assert (listener.host, listener.port, listener.tls) == ("::1", 993, "implicit")


def test_the_example_loads_and_changes_no_default(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, example())
    assert settings.hostname == "mail.example.org"
    for name in ("dns", "queue", "limits", "log", "metrics", "tls"):
        assert getattr(settings, name) == getattr(defaults(tmp_path), name)


def test_the_example_with_every_line_uncommented_loads(tmp_path: Path) -> None:
    lines = [
        line.removeprefix("# ") if " = " in line and not line.startswith("# role") else line
        for line in example().split("\n")
    ]
    assert settings_from(tmp_path, "\n".join(lines)).queue == defaults(tmp_path).queue


def test_the_example_names_every_setting() -> None:
    text = example()
    for field in fields_of(Settings):
        names = [field.name] if field.struct is None else [inner.name for inner in fields_of(field.struct)]
        for name in names:
            assert f"{name} = " in text


def test_every_setting_has_words_that_explain_it() -> None:
    for field in fields_of(Settings):
        if field.struct is None:
            assert field.about, field.name
        else:
            assert all(inner.about for inner in fields_of(field.struct)), field.name
        assert field.kind is not Kind.HIDDEN


def test_what_show_prints_loads_to_the_same_settings(tmp_path: Path) -> None:
    settings = settings_from(tmp_path, 'workers = 3\n[limits]\nheader_size = 1234\n[log]\nlevel = "debug"\n')
    assert settings_from(tmp_path, show(settings)) == settings


def test_unknown_names_come_with_the_nearest_valid_one(tmp_path: Path) -> None:
    assert mistakes_in(tmp_path, '\nhostnam = "x"\n[limits]\n# a comment\nmessage_sise = 1\n') == [
        '2 hostnam: there is no such setting; did you mean "hostname"?',
        '5 limits.message_sise: there is no such setting; did you mean "message_size"?',
    ]


def test_a_setting_outside_its_table_is_sent_home(tmp_path: Path) -> None:
    assert mistakes_in(tmp_path, 'lifetime = "5 days"\n') == [
        "1 lifetime: there is no such setting here; it belongs under [queue]"
    ]


def test_a_name_that_resembles_nothing_lists_what_is_valid(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(tmp_path, "[dns]\nzzzzzz = 1\n")
    assert mistake == "2 dns.zzzzzz: there is no such setting; valid here: servers, timeout, dnssec"


def test_several_mistakes_of_many_kinds_are_told_together(tmp_path: Path) -> None:
    text = """\
workers = "two"
data = 7
[[listener]]
role = "smpt"
address = "127.0.0.1:25"
[[listener]]
role = "imap"
[queue]
allow_private_addresses = "yes"
lifetime = "5 dags"
[limits]
recipients = 0
message_size = -1
[dns]
servers = "1.1.1.1"
[log]
level = true
"""
    assert mistakes_in(tmp_path, text) == [
        "1 workers: must be a whole number, 0 or more, without quotes",
        "2 data: must be a text in quotes",
        '4 listener.1.role: "smpt" is not one of smtp, submission, lmtp, imap, pop3; did you mean "smtp"?',
        "6 listener.2.address: is missing: Where to listen: "
        '"192.0.2.1:25", "[2001:db8::1]:25", "[::]:25" for everywhere; '
        '"unix:/run/postroad/lmtp" for lmtp.',
        "9 queue.allow_private_addresses: must be true or false, without quotes",
        '10 queue.lifetime: "5 dags" is not a duration; write it as "30 s", "5 min", "4 hours" or "5 days"',
        "12 limits.recipients: must be a whole number, 1 or more, without quotes",
        '13 limits.message_size: must be a size such as "50 MiB"',
        '15 dns.servers: must be a list of texts, as in ["one", "two"]',
        "17 log.level: cannot be true or false",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[tls]\ncertificate = "c.pem"\n', "2 tls.certificate: needs tls.key beside it"),
        ('[tls]\nkey = "k.pem"\n', "2 tls.key: needs tls.certificate beside it"),
        ('[metrics]\naddress = "0.0.0.0:9725"\n', "2 metrics.address: must be on loopback"),
        ('[dns]\nservers = ["dns.example"]\n', '2 dns.servers: "dns.example" is not an IP address'),
        ('[queue]\nretry_max = "1 s"\n', "2 queue.retry_max: is shorter than queue.retry_first"),
        ("[limits]\nerrors_hard = 1\n", "2 limits.errors_hard: is less than limits.errors_soft"),
        ("[limits]\nsmtp_line = 100\n", "2 limits.smtp_line: must be 512 or more"),
        ('hostname = "a b"\n', '1 hostname: "a b" is not a host name'),
        ("tls = true\n", "1 tls: is a table; write [tls] on a line of its own"),
        ("listener = 5\n", "1 listener: is a list of tables; write [[listener]]"),
        ("[listener]\nrole = 1\n", "1 listener: is a list of tables; write [[listener]]"),
    ],
)
def test_what_is_wrong_in_the_light_of_the_rest(tmp_path: Path, text: str, expected: str) -> None:
    (mistake,) = mistakes_in(tmp_path, text)
    assert mistake.startswith(expected)


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        ('role = "imap"\naddress = "127.0.0.1:143"\ntls = "none"\n', None),
        ('role = "pop3"\naddress = "[::1]:110"\ntls = "none"\n', None),
        ('role = "imap"\naddress = "[::]:143"\ntls = "none"\n', "is for loopback alone"),
        ('role = "imap"\naddress = "127.0.0.1:143"\n', 'needs tls = "none" beside it'),
        ('role = "submission"\naddress = "127.0.0.1:587"\ntls = "none"\n', "is for imap and pop3 alone"),
    ],
)
def test_passwords_go_in_clear_where_nobody_can_listen_in(
    tmp_path: Path, listener: str, reason: str | None
) -> None:
    text = f"[[listener]]\n{listener}passwords_in_clear = true\n"
    if reason is None:
        assert settings_from(tmp_path, text).listeners[0].passwords_in_clear
        return
    (mistake,) = mistakes_in(tmp_path, text)
    assert f"listener.1.passwords_in_clear: {reason}" in mistake


def test_two_listeners_cannot_share_an_address(tmp_path: Path) -> None:
    listener = '[[listener]]\nrole = "imap"\naddress = "127.0.0.1:143"\n'
    assert mistakes_in(tmp_path, listener * 2) == [
        '6 listener.2.address: "127.0.0.1:143" is already taken by listener 1'
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = = 2\n", 2),
        ("message_size = 50 MiB\n", 1),
        ('a = "open\n', 1),
        ("a = 1\na = 2\n", 2),
        ("a = [1,\n", 2),
    ],
)
def test_what_is_not_toml_is_placed(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_from(tmp_path, text)
    assert caught.value.line == line
    assert "is not TOML" in caught.value.message


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes('x = 1\nhostname = "é"\n'.encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(latin)
    assert caught.value.line == 2
    settings = settings_from(tmp_path, '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    assert [mistake.key for mistake in missing_files(settings)] == ["tls.certificate", "tls.key"]


def test_an_error_says_where_and_what_on_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_from(tmp_path, "\nworkers = -1\n")
    assert str(caught.value) == (
        f"{tmp_path}/postroad.toml:2: workers: must be a whole number, 0 or more, without quotes"
    )


@pytest.mark.parametrize("text", ["25", ":25", "::1:25", "host:", "host:66666", "[::1]", "host:２５"])
def test_addresses_need_host_and_port(text: str) -> None:
    with pytest.raises(ValueError, match='"'):
        split_address(text)


@pytest.mark.parametrize(
    ("listener", "says"),
    [
        (
            'role = "lmtp"\naddress = "0.0.0.0:24"',
            "lmtp is for a Unix socket or loopback: whoever connects is believed",
        ),
        ('role = "smtp"\naddress = "unix:/run/smtp"', "a Unix socket is for lmtp alone"),
        ('role = "lmtp"\naddress = "unix:run/lmtp"', "a Unix socket needs a whole path"),
        (
            'role = "lmtp"\naddress = "unix:/run/lmtp"\ntls = "implicit"',
            "a Unix socket has neither TLS from the first octet nor a proxy in front of it",
        ),
        (
            'role = "imap"\naddress = "[::1]:143"\nproxy_from = ["10.0.0.0/33"]',
            '"10.0.0.0/33" is not an address or a network such as "192.0.2.0/24"',
        ),
        ('role = "imap"\naddress = "[::1]:143"\nxclient_from = ["::1"]', "is for smtp and submission alone"),
        ('role = "imap"\naddress = "[::1]:143"\ngreeting_delay = "3 s"', "is for smtp alone"),
    ],
)
def test_listeners_that_cannot_be(tmp_path: Path, listener: str, says: str) -> None:
    (mistake,) = mistakes_in(tmp_path, f"[[listener]]\n{listener}\n")
    assert mistake.partition(": ")[2] == says


def test_lists_are_looked_at(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(tmp_path, '[receiving]\nlists = ["bl.example.net", "bl.example.net*0"]\n')
    assert mistake == '2 receiving.lists: "bl.example.net*0": a list of weight 0 says nothing'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('allow = ["everybody"]', '"everybody" is not an address or a network such as "192.0.2.0/24"'),
        ('tarpit = "3 min"', "is longer than 2 minutes: other servers would be gone"),
        ("recipients_minute = -1", "must be a whole number, 0 or more, without quotes"),
    ],
)
def test_what_strangers_meet_is_looked_at(tmp_path: Path, text: str, says: str) -> None:
    (mistake,) = mistakes_in(tmp_path, f"[receiving]\n{text}\n")
    assert mistake.partition(": ")[2] == says
