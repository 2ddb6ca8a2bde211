"""A scripted server's half of AUTH: one user, one password."""

import asyncio

from postroad.sasl import base64
from postroad.sasl.exchange import start_exchange
from postroad.sasl.outcome import Challenge, KeysWanted, Password, Proof, Surroundings
from postroad.sasl.scram import Scram
from postroad.sasl.scram_keys import LEAST_ITERATIONS, derive


async def answer_auth(
    argument: str, login: tuple[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Carry an exchange to its end; whether it was the right user with the right password."""
    name, _, initial = argument.partition(" ")
    exchange = start_exchange(name, Surroundings("server"))
    if exchange is None:
        return False
    outcome = exchange.start(base64.decode(initial.encode()) if initial else None)
    while True:
        match outcome:
            case Challenge(data):
                writer.write(b"334 " + base64.encode(data) + b"\r\n")
                line = (await reader.readuntil(b"\r\n"))[:-2]
                response = base64.decode(line)
                if line == b"*" or response is None:
                    return False
                outcome = exchange.respond(response)
            case KeysWanted(user, hash_name) if isinstance(exchange, Scram):
                password = login[1] if user == login[0] else "nobody's"
                outcome = exchange.use([derive(hash_name, password, b"salt", LEAST_ITERATIONS)])
            case Proof(index) if isinstance(exchange, Scram):
                if index is None:
                    return False
                last = exchange.accept()
                assert isinstance(last, Challenge)
                writer.write(b"334 " + base64.encode(last.data) + b"\r\n")
                await reader.readuntil(b"\r\n")
                return True
            case Password(user, secret):
                return (user, secret) == login
            case _:
                return False
