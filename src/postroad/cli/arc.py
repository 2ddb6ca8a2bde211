"""`postroad arc`: what servers on the way have sealed."""

import asyncio
import time
from collections.abc import Iterable

import click

from postroad.cli.explain import Sentence, explain_chain
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, mark, print_json, safe
from postroad.cli.signed_message import read_message, with_resolver
from postroad.mailauth.arc.verify import ArcResult, verify_chain
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.message.header import HeaderBlock
from postroad.model.resolver import Resolver


@click.group(short_help="Chains that servers on the way have sealed, explained.")
def arc() -> None:
    """Chains that servers on the way have sealed (ARC), explained."""


@arc.command()
@common
@click.argument("file")
@pass_here
def check(here: Here, file: str) -> None:
    """Validate the chain of a message in FILE, or on standard input for -.

    The exit status is 1 when the chain is broken.
    """
    message = read_message(file)

    async def judge(block: HeaderBlock, body: BodyHashes, resolver: Resolver) -> ArcResult:
        return await verify_chain(block, body, resolver, now=time.time())

    found = asyncio.run(with_resolver(here, message, judge))
    if here.json:
        print_json(
            {
                "result": found.result.value,
                "reason": found.reason,
                "oldest_pass": found.oldest_pass,
                "sets": [
                    {
                        "instance": one.instance,
                        "domain": one.seal.domain,
                        "found": one.said.decode(errors="replace"),
                    }
                    for one in found.chain.sets
                ],
            }
        )
    else:
        print_sentences(explain_chain(found))
    if found.result is Result.FAIL:
        raise click.exceptions.Exit(Exit.PROBLEM)


def print_sentences(sentences: Iterable[Sentence]) -> None:
    """Print sentences with a tick, a cross or a dash in front."""
    for good, text in sentences:
        sign = " " if text.startswith(" ") else "–" if good is None else mark(good)
        click.echo(f"{sign} {safe(text)}")
