"""IMAPClient, from PyPI: searching, sorting and threading as programs do it."""

import imapclient

from tests.interop.messages import arrived, message, receive
from tests.interop.postroad_server import HOST, PASSWORD, Postroad

USER = "ada@ours.test"


def fill(server: Postroad) -> None:
    for subject in ("bread", "Äpfel", "Re: bread"):
        receive(server, message(subject))
        arrived(server, f"Subject: {subject}")


def test_imapclient_sorts_threads_and_searches(server: Postroad) -> None:
    fill(server)
    context = server.tls_context()
    with imapclient.IMAPClient(HOST, port=server.ports.imaps, ssl_context=context) as client:
        client.login(USER, PASSWORD)
        client.select_folder("INBOX")
        assert client.has_capability("SORT")
        assert client.has_capability("THREAD=REFERENCES")
        assert client.sort("SUBJECT") == [2, 1, 3]
        assert client.sort(["REVERSE SIZE"], ["SUBJECT", "bread"]) == [3, 1]
        assert client.sort("DISPLAYFROM", ["UID", "2:*"]) == [2, 3]
        assert client.thread() == ((1, 3), (2,))
        assert client.thread("REFS", ["SUBJECT", "ÄPFEL"]) == ((2,),)
        assert client.search(["SUBJECT", "äpfel"], "UTF-8") == [2]
        assert client.search("FUZZY SUBJECT braed") == [1, 3]
