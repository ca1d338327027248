"""The HTTP side of a session: who we are, whom we trust, how long we wait.

Importing it costs 0.3 s: do so where a connection is made, not before.
"""

from typing import Any

from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.wsman import WSMan
from requests import Session
from requests.adapters import HTTPAdapter

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


class Negotiation(HTTPNegotiateAuth):
    """pypsrp's authentication, without the connection that it leaves open when it fails."""

    def handle_401(self, response: Any, **options: Any) -> Any:
        """Answer the server's demand for a token."""
        try:
            return super().handle_401(response, **options)  # type: ignore[no-untyped-call] # pypsrp
        except BaseException:
            response.close()
            raise


def connect(target: Target, password: str | None) -> WSMan:
    """Return pypsrp's WS-Management client for *target*. Nothing is sent before its first use.

    Proxies of the environment are left aside: message encryption belongs to one connection, and
    no proxy is supposed to stand between a jump host and its servers.
    """
    clear = target.auth == "basic" and not target.ssl
    wsman = WSMan(
        target.host,
        port=target.tcp_port,
        path=target.path.lstrip("/"),
        ssl=target.ssl,
        auth=target.auth,
        username=target.user,
        password=password,
        cert_validation=target.ca_file or True,  # type: ignore[arg-type] # a path is documented
        encryption="never" if clear else target.encryption,
        connection_timeout=target.deadlines.connect,  # type: ignore[arg-type] # requests takes floats
        read_timeout=target.deadlines.read,  # type: ignore[arg-type] # likewise
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
    if target.auth != "basic":
        session.auth = Negotiation(
            target.user,
            password,
            target.auth,
            service=target.service,
            hostname_override=target.principal_host or target.name,
            wrap_required=transport.wrap_required,
        )
    return wsman


def _name(session: Session, target: Target) -> None:
    """Make *session* call the server by its name, not by its address."""
    if target.host != target.name:
        session.headers["Host"] = f"{target.name}:{target.tcp_port}"
        session.mount("https://", Named(target.name))
