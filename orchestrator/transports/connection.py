"""The HTTP side of a session: who we are, whom we trust, how long we wait.

Importing it costs 0.3 s: do so where a connection is made, not before.
"""

from typing import Any, cast
from xml.etree.ElementTree import Element

import spnego
from pypsrp._utils import get_hostname
from pypsrp.exceptions import WinRMTransportError
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.wsman import WSMan
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from spnego import ContextProxy

from orchestrator.transports.bounds import Bounded, Disguised
from orchestrator.transports.target import Target


class Named(HTTPAdapter):
    """Speaks TLS to an address as if to *name*: by that name the certificate is judged."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pool of connections, see requests."""
        options |= {"assert_hostname": self._name, "server_hostname": self._name}
        super().init_poolmanager(*args, **options)


class Webpage(Exception):
    """An error of HTTP whose text is no envelope; *args* are as WinRMTransportError has them."""


class Client(WSMan):
    """The WS-Management client of pypsrp, which here waits for an answer once.

    pypsrp asks five times more for what was not answered in time, with 114 s of sleep in between
    [measured]; by then every deadline has passed. It also parses whatever comes: here nothing
    that declares a document type, and with it entities, comes to its parser.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._send = self.transport.send
        self.transport.send = self._send_declaring_nothing  # type: ignore[method-assign] # pypsrp makes its transport itself

    def _send_declaring_nothing(self, message: bytes, **options: Any) -> bytes:
        try:
            answer = self._send(message, **options)
        except WinRMTransportError as error:
            if "<!DOCTYPE" in error.response_text:
                raise Webpage(*error.args) from error
            raise
        # A NUL: expat takes what begins like UTF-16 for it, and would find a declaration there.
        if b"<!DOCTYPE" in answer or b"\0" in answer:
            raise Disguised("its answer is no envelope of WS-Management")
        return answer

    def invoke(self, *args: Any, retries_on_read_timeout: int = 0, **options: Any) -> Element:
        """Send one request and return the answer's body, see pypsrp."""
        del retries_on_read_timeout
        return super().invoke(*args, **options)


class Negotiation(HTTPNegotiateAuth):
    """NTLM, Kerberos and Negotiate, with the first token sent unasked.

    pypsrp waits to be asked, which costs a request on each connection; HTTP allows not to
    (RFC 4559), and pywinrm does the same with Kerberos. A server that wants another scheme asks
    for it, and pypsrp's way is taken. Over TLS it always is: there the first token binds the
    server's certificate, which is not known before. What pypsrp leaves open when it fails, the
    connection, is closed.
    """

    def __init__(self, target: Target, password: str | None, *, seal: bool) -> None:
        super().__init__(
            target.user,
            password,
            target.auth,
            service=target.service,
            hostname_override=target.principal_host or target.name,
            wrap_required=seal,
        )
        self._unasked = not target.ssl
        self._context: ContextProxy | None = None

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Prepare *request*, see requests."""
        prepared: PreparedRequest = super().__call__(request)  # type: ignore[no-untyped-call] # pypsrp
        if self._unasked:
            self._unasked = False
            sealing = spnego.NegotiateOptions.wrapping_winrm
            self._context = spnego.client(
                self.username,
                self.password,
                hostname=str(self.hostname_override),
                service=self.service,
                protocol=self.auth_provider,
                options=sealing if self.wrap_required else spnego.NegotiateOptions.none,
            )
            self._set_auth_token(prepared, self._context.step(), "Negotiate")  # type: ignore[no-untyped-call] # pypsrp
        return prepared

    def response_hook(self, response: Response, **options: Any) -> Response:
        """Go on with the server's answer, see requests."""
        context, self._context = self._context, None
        try:
            token = self._token(response)
            if context is None or token is None:
                return super().response_hook(response, **options)  # type: ignore[no-untyped-call, no-any-return] # pypsrp
            return self._go_on(context, token, response, options)
        except BaseException:
            response.close()
            raise

    def _go_on(
        self, context: ContextProxy, token: bytes, response: Response, options: dict[str, Any]
    ) -> Response:
        answer: bytes | None = token
        while answer and (proof := context.step(answer)):
            _ = response.content  # read to its end, so that the connection can be used again
            response.raw.release_conn()
            request = response.request.copy()
            self._set_auth_token(request, proof, "Negotiate")  # type: ignore[no-untyped-call] # pypsrp
            response = response.connection.send(request, **options)
            answer = self._token(response)
        # Where and under what name pypsrp's encryption looks for it.
        self.contexts[str(get_hostname(response.url))] = context
        context.response_auth_header = "negotiate"  # type: ignore[attr-defined] # pypsrp's own
        return response

    def _token(self, response: Response) -> bytes | None:
        token: bytes | None = self._get_auth_token(response, self._regex)  # type: ignore[no-untyped-call] # pypsrp
        return token or None


def connect(target: Target, password: str | None) -> WSMan:
    """Return pypsrp's WS-Management client for *target*. Nothing is sent before its first use.

    Proxies of the environment are left aside: message encryption belongs to one connection, and
    no proxy is supposed to stand between a jump host and its servers.
    """
    clear = target.auth == "basic" and not target.ssl
    wsman = Client(
        target.host,
        port=target.tcp_port,
        path=target.path.lstrip("/"),
        ssl=target.ssl,
        auth=target.auth,
        username=target.user,
        password=password,
        cert_validation=target.ca_file or True,
        encryption="never" if clear else target.encryption,
        connection_timeout=target.deadlines.connect,
        read_timeout=target.deadlines.read,
        operation_timeout=target.deadlines.operation,
        no_proxy=True,
        reconnection_retries=0,
    )
    transport = wsman.transport
    session = transport._build_session()  # noqa: SLF001 - the only place where one can
    # What the environment has to say was merged above; asking again on each request takes time.
    session.trust_env = False
    transport.session = session
    _name(session, target)
    adapters = cast("dict[str, HTTPAdapter]", dict(session.adapters))
    for prefix, adapter in adapters.items():
        # A slow server may use its time, and then as long again for what it has to say.
        session.mount(prefix, Bounded(adapter, 2 * target.deadlines.read))
    if target.auth != "basic":
        session.auth = Negotiation(target, password, seal=transport.wrap_required)
    return wsman


def _name(session: Session, target: Target) -> None:
    """Make *session* call the server by its name, not by its address."""
    if target.host != target.name:
        session.headers["Host"] = f"{target.name}:{target.tcp_port}"
        session.mount("https://", Named(target.name))
