"""A WS-Management server that answers as told, for answers that no sane server gives."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import pytest

from orchestrator.transports.target import Target

Answer: TypeAlias = tuple[int, str]
Script: TypeAlias = Callable[[str, str], Answer | None]

ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">'
    "<s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
FAULT = (
    "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text>{text}</s:Text>"
    '</s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/'
    'wsmanfault" Code="{code}" Machine="x"><f:Message>{text}</f:Message></f:WSManFault></s:Detail>'
    "</s:Fault>"
)


class Puppet:
    """Answers each request with what *script* makes of its action and body.

    A body in an answer is put into an envelope unless it is a whole document. None drops the
    connection. *actions* are the last parts of the actions asked for, in order;
    *headers* go with every answer.
    """

    def __init__(self) -> None:
        self.script: Script = lambda _action, _body: (500, "")
        self.actions: list[str] = []
        self.headers: dict[str, str] = {}
        self.authorizations: list[str] = []
        self.hosts: set[str] = set()
        puppet = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                puppet.authorizations.append(self.headers.get("Authorization", ""))
                puppet.hosts.add(self.headers.get("Host", ""))
                puppet.answer(self, self.rfile.read(length).decode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        """Answer one request."""
        action = "".join(re.findall(r"Action[^>]*>[^<]*/(\w+)<", body))
        relates = "".join(re.findall(r"MessageID[^>]*>([^<]*)<", body))
        self.actions.append(action)
        answer = self.script(action, body)
        if answer is None:
            handler.close_connection = True
            return
        status, text = answer
        whole = text if not text.startswith("<rsp") else ENVELOPE.format(relates=relates, body=text)
        whole = ENVELOPE.format(relates=relates, body=text) if text.startswith("<s:F") else whole
        data = whole.encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        handler.send_header("Content-Length", str(len(data)))
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def target(self, password: str = "public") -> Target:  # noqa: S107 - it is
        """The way to this server, by Basic."""
        return Target(
            name="ex1.contoso.com",
            address="127.0.0.1",
            port=self.port,
            auth="basic",
            allow_cleartext=True,
            user="admin",
            secret=lambda: password,
        )

    @staticmethod
    def fault(code: int, text: str) -> Answer:
        """A WS-Management fault, for scripts to answer with."""
        return 500, FAULT.format(code=code, text=text)

    def close(self) -> None:
        """Stop."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def puppet() -> Iterator[Puppet]:
    """A server that answers as told."""
    server = Puppet()
    yield server
    server.close()
