"""How long it takes to work out the summary of typical messages: `python bench/parsers/summarize.py`."""

import base64
import sys
import time

from postroad.message.summary import summarize

HEADER = b"""Return-Path: <ada@example.org>
Delivered-To: bob@demo.test
Received: from mail.example.org (mail.example.org [192.0.2.7])
 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
 by mx.demo.test with ESMTPS id 01J9Z7W6 for <bob@demo.test>;
 Tue, 01 Jul 2025 10:52:37 +0200
Received: from [10.0.0.2] (client.example.org [198.51.100.9])
 by mail.example.org with ESMTPSA id 4bWq;
 Tue, 01 Jul 2025 10:52:36 +0200
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=2025;
 h=from:to:subject:date:message-id; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB4nujc7YopdG5dWLSdNg6x
 NAZpOPr+kHxt1IrE+NahM6L/LbvaHutKVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdr
From: "Ada Lovelace" <ada@example.org>
To: Bob Builder <bob@demo.test>, carol@example.net
Cc: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.net>
Subject: Re: [engines] notes on the analytical engine
Date: Tue, 1 Jul 2025 10:52:36 +0200
Message-ID: <4f3b1c9a-engine@example.org>
In-Reply-To: <19d1-question@demo.test>
References: <19d0-start@example.net> <19d1-question@demo.test>
User-Agent: Engine/1.0
X-Priority: 3
List-Id: <engines.example.org>
MIME-Version: 1.0
""".replace(b"\n", b"\r\n")
LINES = b"It can follow analysis, but it has no power of anticipating any relations.\r\n"
PLAIN = (
    HEADER
    + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + LINES * (9 * 1024 // len(LINES))
)
BLOB = base64.encodebytes(bytes(range(256)) * 24).replace(b"\n", b"\r\n")
MULTIPART = (
    HEADER
    + b'Content-Type: multipart/mixed; boundary="=_outer_4f3b"\r\n\r\nThis is MIME.\r\n--=_outer_4f3b\r\n'
    + b'Content-Type: multipart/alternative; boundary="=_inner_4f3b"\r\n\r\n--=_inner_4f3b\r\n'
    + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    + b"Gr=C3=BC=C3=9Fe aus dem Maschinenraum.\r\n" * 20
    + b"\r\n--=_inner_4f3b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>"
    + LINES * 20
    + b"\r\n--=_inner_4f3b--\r\n\r\n--=_outer_4f3b\r\n"
    + b'Content-Type: application/pdf; name="engine.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
    + b"Content-Disposition: attachment;\r\n filename*=utf-8''Maschine%20%E2%82%AC.pdf\r\n\r\n"
    + BLOB
    + b"\r\n--=_outer_4f3b--\r\n"
)


def measure(name: str, message: bytes, rounds: int) -> None:
    """Print the best and the middle of `rounds` measurements."""
    taken: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(100):
            summarize(message)
        taken.append((time.perf_counter() - start) * 1e4)
    taken.sort()
    print(f"{name:10} {len(message):6} octets  best {taken[0]:6.1f} µs  median {taken[rounds // 2]:6.1f} µs")


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    measure("plain", PLAIN, times)
    measure("multipart", MULTIPART, times)
