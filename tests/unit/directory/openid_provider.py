"""An OpenID provider on loopback, over HTTPS: keys, discovery, introspection, and how it fails."""

import asyncio
import ssl
import time
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from tests.transcripts.tls import certificate_pem, server_context

CA_NAME = "provider-ca.pem"
SECRET = "the server's secret"


class ProviderServer:
    """`async with` serves it; what is asked is kept in `asked`."""

    def __init__(self, folder: Path) -> None:
        self.keys: dict[str, RSAKey | ECKey | OKPKey] = {
            "rsa": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
            "ec": ECKey.generate_key("P-256", {"kid": "ec"}),
            "ed": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
        }
        self.asked: list[str] = []
        self.gone = False
        self.silent = False
        self.answers: dict[str, bytes] = {}
        """In place of what would be right, by path."""
        self.active: dict[str, dict[str, Any]] = {}
        """Tokens that introspection knows."""
        self.ca = folder / CA_NAME
        self.secret = folder / "client-secret"
        self.secret.write_text(SECRET + "\n")
        self._server: asyncio.Server | None = None

    @property
    def issuer(self) -> str:
        assert self._server is not None
        return f"https://localhost:{self._server.sockets[0].getsockname()[1]}/realm"

    async def __aenter__(self) -> "ProviderServer":
        context = server_context()
        self.ca.write_text(certificate_pem())
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def token(self, key: str = "rsa", *, alg: str = "", now: float | None = None, **claims: Any) -> str:
        """A token that is right but for what is said otherwise; None takes a claim out."""
        moment = time.time() if now is None else now
        right = {
            "iss": self.issuer,
            "aud": ["mail", "calendar"],
            "email": "ada@example.org",
            "exp": int(moment) + 300,
            "nbf": int(moment) - 10,
            "scope": "openid mail",
        }
        said = {name: value for name, value in {**right, **claims}.items() if value is not None}
        algorithm = alg or {"rsa": "RS256", "ec": "ES256", "ed": "Ed25519"}[key]
        return jwt.encode({"alg": algorithm, "kid": key}, said, self.keys[key], algorithms=[algorithm])

    def forged(self, **claims: Any) -> str:
        """A token signed with the public key as if it were a shared secret."""
        public = msgspec.json.encode(self.keys["rsa"].as_dict(private=False))
        said = {"iss": self.issuer, "aud": "mail", "email": "ada@example.org", "exp": 4_000_000_000, **claims}
        return jwt.encode(
            {"alg": "HS256", "kid": "rsa"}, said, OctKey.import_key(public), algorithms=["HS256"]
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (
                        int(line[15:])
                        for line in head.split("\r\n")
                        if line.lower().startswith("content-length:")
                    ),
                    0,
                )
                body = (await reader.readexactly(length)).decode()
                path = head.split(" ", 2)[1]
                self.asked.append(path)
                if self.silent:
                    await reader.read()
                    break
                status, answer = (503, b"") if self.gone else self._answer(path, head, body)
                writer.write(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, head: str, body: str) -> tuple[int, bytes]:
        if path in self.answers:
            return 200, self.answers[path]
        match path:
            case "/realm/.well-known/openid-configuration":
                return 200, msgspec.json.encode({"issuer": self.issuer, "jwks_uri": self.issuer + "/keys"})
            case "/realm/keys":
                return 200, msgspec.json.encode(KeySet(list(self.keys.values())).as_dict(private=False))
            case "/realm/introspect":
                wanted = b64encode(f"postroad:{SECRET}".encode()).decode()
                if f"Basic {wanted}" not in head:
                    return 401, b"{}"
                token = parse_qs(body)["token"][0]
                return 200, msgspec.json.encode(self.active.get(token, {"active": False}))
        return 404, b""
