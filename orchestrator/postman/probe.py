"""What a partner's MX hosts offer, as seen from this machine: looked at, never judged.

Names and addresses come from the partner's DNS. So only public addresses are spoken to, on one
port, a few of them, with one deadline each, and nothing is sent beyond EHLO and STARTTLS.
"""

import ipaddress
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.core.errors import TransportError
from orchestrator.postman.delivery import extensions, own_name
from orchestrator.postman.dialogue import Dialogue

if TYPE_CHECKING:
    from dns.resolver import Resolver

HOSTS = 5
"""MX hosts that are looked at, the most preferred first."""

SECONDS = 10.0
"""For the names, and again for each host."""


class Certificate(NamedTuple):
    """What a host shows. *distrust* is why it is not trusted here, empty where it is."""

    names: tuple[str, ...]
    expires: datetime
    distrust: str


class Host(NamedTuple):
    """One MX host. *problem* is why no more is known of it; *starttls* None: not found out."""

    name: str
    address: str = ""
    starttls: bool | None = None
    version: str = ""
    certificate: Certificate | None = None
    problem: str = ""


class Probe(NamedTuple):
    """What was seen. *problem* is why no host was looked at; *left* is how many were left out."""

    hosts: tuple[Host, ...] = ()
    problem: str = ""
    left: int = 0


def public(address: str) -> bool:
    """Say whether *address* is one of the public internet."""
    return ipaddress.ip_address(address).is_global


def usual_resolver() -> "Resolver":
    """Return the system's resolver, with our patience."""
    from dns.resolver import Resolver  # noqa: PLC0415 - only where a partner is probed

    resolver = Resolver()
    resolver.lifetime = SECONDS
    return resolver


def probe(  # noqa: PLR0913 - tests put their own network in place of the internet
    domain: str,
    resolver: "Resolver",
    *,
    port: int = 25,
    seconds: float = SECONDS,
    allowed: Callable[[str], bool] = public,
    trust: ssl.SSLContext | None = None,
) -> Probe:
    """Look at the MX hosts of *domain*. Never raises: what fails is part of the answer."""
    from dns.exception import DNSException  # noqa: PLC0415 - only where a partner is probed

    try:
        answer = resolver.resolve(domain, "MX")
        found = sorted((mx.preference, mx.exchange.to_text(omit_final_dot=True)) for mx in answer)
    except (DNSException, OSError) as error:
        return Probe(problem=f"its MX cannot be found: {_said(error)}")
    names = list(dict.fromkeys(name for _, name in found))
    if names in ([""], ["."]):
        return Probe(problem="its DNS says that it takes no mail at all (null MX)")
    look = _Look(resolver, port, seconds, allowed, trust or ssl.create_default_context())
    return Probe(tuple(map(look.host, names[:HOSTS])), left=max(0, len(names) - HOSTS))


class _Look(NamedTuple):
    resolver: "Resolver"
    port: int
    seconds: float
    allowed: Callable[[str], bool]
    trust: ssl.SSLContext

    def host(self, name: str) -> Host:
        """Look at one host."""
        address = self._address(name)
        if not address:
            return Host(name, problem="its address cannot be found")
        if not self.allowed(address):
            return Host(name, address, problem="its address is not a public one: not spoken to")
        try:
            return self._spoken(name, address)
        except (TransportError, OSError, ValueError) as error:
            return Host(name, address, problem=_said(error))

    def _address(self, name: str) -> str:
        from dns.exception import DNSException  # noqa: PLC0415 - as above

        for kind in ("A", "AAAA"):
            try:
                answer = self.resolver.resolve(name, kind)
            except (DNSException, OSError):
                continue
            return str(next(iter(answer)).address)
        return ""

    def _spoken(self, name: str, address: str) -> Host:
        dialogue = self._greeted(name, address)
        if isinstance(dialogue, Host):
            return dialogue
        try:
            dialogue.secure(self.trust)
        except ssl.SSLCertVerificationError as error:
            return self._shown(name, address, error.verify_message)
        except (ssl.SSLError, OSError) as error:
            return Host(name, address, True, problem=f"TLS fails: {_said(error)}")
        else:
            return _seen(name, address, dialogue, "")
        finally:
            dialogue.close()

    def _shown(self, name: str, address: str, distrust: str) -> Host:
        """Look again without demanding trust, for what the certificate says."""
        dialogue = self._greeted(name, address)
        if isinstance(dialogue, Host):
            return dialogue
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            dialogue.secure(context)
            return _seen(name, address, dialogue, distrust)
        finally:
            dialogue.close()

    def _greeted(self, name: str, address: str) -> "Dialogue | Host":
        dialogue = Dialogue((address, self.port), self.seconds, name=name)
        try:
            first = dialogue.reply()
            reply = dialogue.ask(f"EHLO {own_name()}") if first.code == 220 else first
            if reply.code != 250:
                dialogue.close()
                return Host(name, address, problem=f"it answers {reply}")
            offered = "STARTTLS" in extensions(reply)
            if offered and (said := dialogue.ask("STARTTLS")).code == 220:
                return dialogue
            dialogue.close()
            return Host(name, address, offered, problem=f"it answers {said}" if offered else "")
        except BaseException:
            dialogue.close()
            raise


def _seen(name: str, address: str, dialogue: Dialogue, distrust: str) -> Host:
    secure = dialogue.tls
    shown = secure.getpeercert(binary_form=True) if secure else None
    version = (secure.version() if secure else None) or ""
    certificate = _certificate(shown, distrust) if shown else None
    return Host(name, address, True, version, certificate)


def _certificate(shown: bytes, distrust: str) -> Certificate:
    from cryptography import x509  # noqa: PLC0415 - heavy

    found = x509.load_der_x509_certificate(shown)
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        names = ()
    return Certificate(names, found.not_valid_after_utc, distrust)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
