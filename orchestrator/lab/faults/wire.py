"""Faults of the network and of what answers for the service."""

from typing import Annotated, Literal

from msgspec import Meta

from orchestrator.lab.faults.effect import Cut, Drip, Drop, Effect, Fail, Kill, Reply, Wait
from orchestrator.lab.faults.row import Action, RequestRow, Seconds
from orchestrator.lab.soap import Fault, fault

_FOREVER = 86_400.0

_PAGE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html><head><title>{0}</title></head>'
    "<body><h1>Server Error</h1><h2>{0}</h2></body></html>"
)
_SOAP = "application/soap+xml;charset=UTF-8"

TIMED_OUT = Fault(
    2150858793,
    "w:TimedOut",
    "The WS-Management service cannot complete the operation within the time specified in "
    "OperationTimeout.  ",
    sender=False,
)


class DroppedBefore(RequestRow, frozen=True, kw_only=True, tag="drop-before"):
    """The connection breaks, and the request is never handled."""

    def effect(self) -> Effect:
        """Drop it."""
        return Drop()


class DroppedAfter(RequestRow, frozen=True, kw_only=True, tag="drop-after"):
    """The request is handled, then the connection breaks: the client cannot know."""

    moment: Literal["after"] = "after"

    def effect(self) -> Effect:
        """Drop the answer."""
        return Drop()


class Late(RequestRow, frozen=True, kw_only=True, tag="delay"):
    """The request is handled, or answered, *seconds* late."""

    seconds: Seconds

    def effect(self) -> Effect:
        """Wait."""
        return Wait(self.seconds)


class Stalled(RequestRow, frozen=True, kw_only=True, tag="stall"):
    """The connection stays open and no answer ever comes."""

    def effect(self) -> Effect:
        """Wait until the client leaves."""
        return Wait(_FOREVER)


class Answered(RequestRow, frozen=True, kw_only=True, tag="http"):
    """Something answers with an HTTP status: a web server, a gateway, a proxy."""

    status: Annotated[int, Meta(ge=100, le=599)]
    body: Literal["html", "empty", "fault"] = "html"

    def effect(self) -> Effect:
        """Answer instead of the service."""
        if self.body == "fault":
            text = f"The WS-Management service cannot process the request ({self.status})."
            problem = Fault(2150859000, "w:InternalError", text, sender=False)
            return Reply(self.status, fault("", problem, "gateway"), _SOAP)
        page = _PAGE.format(f"{self.status} - refused") if self.body == "html" else ""
        return Reply(self.status, page.encode())


class Faulted(RequestRow, frozen=True, kw_only=True, tag="wsman-fault"):
    """The service answers with a fault of this number and text."""

    code: int
    text: str = "The WS-Management service cannot process the request."
    subcode: str = "w:InternalError"

    def effect(self) -> Effect:
        """Answer with the fault."""
        return Fail(Fault(self.code, self.subcode, self.text))


class TimedOut(RequestRow, frozen=True, kw_only=True, tag="timed-out"):
    """The service says that there was nothing to say in time."""

    def effect(self) -> Effect:
        """Answer with the fault that a long poll ends with."""
        return Fail(TIMED_OUT)


class Quota(RequestRow, frozen=True, kw_only=True, tag="quota"):
    """The user has too many sessions, and is asked to wait for *wait* seconds or milliseconds."""

    action: Action = "Create"
    wait: Annotated[int, Meta(ge=0)] = 60
    unit: Literal["seconds", "milliseconds"] = "seconds"

    def effect(self) -> Effect:
        """Refuse as Exchange does."""
        text = (
            "[FailureCategory=WSMan-Others] Fail to create a runspace because you have exceeded "
            "the maximum number of connections allowed : 18 for the policy party : "
            f"MaxConcurrency. Please wait for {self.wait} {self.unit}. "
        )
        return Fail(Fault(2150859173, "w:QuotaLimit", text))


class Garbage(RequestRow, frozen=True, kw_only=True, tag="garbage"):
    """Status 200, and a body that means nothing."""

    content: Literal["text", "xml", "binary", "empty"] = "text"

    def effect(self) -> Effect:
        """Answer with it."""
        body = {
            "text": b"Welcome to the captive portal.",
            "xml": b"<?xml version='1.0'?><portal><login href='/'/></portal>",
            "binary": bytes(range(256)),
            "empty": b"",
        }
        types = {"text": "text/plain", "xml": "text/xml", "binary": _SOAP, "empty": _SOAP}
        return Reply(200, body[self.content], types[self.content])


class Truncated(RequestRow, frozen=True, kw_only=True, tag="truncate"):
    """Half of the answer's body arrives; *closing* breaks the connection in the midst of it."""

    moment: Literal["after"] = "after"
    closing: bool = False

    def effect(self) -> Effect:
        """Cut it."""
        return Cut(self.closing)


class Dripping(RequestRow, frozen=True, kw_only=True, tag="drip"):
    """The answer trickles: *size* bytes, then *seconds* of silence, and so on."""

    moment: Literal["after"] = "after"
    size: Annotated[int, Meta(ge=1)] = 1
    seconds: Seconds = 0.5

    def effect(self) -> Effect:
        """Slow it down."""
        return Drip(self.size, self.seconds)


class Killed(RequestRow, frozen=True, kw_only=True, tag="kill"):
    """The server that is asked goes down and loses its shells; it may come back on its port."""

    back_after: Seconds | None = None

    def effect(self) -> Effect:
        """End it."""
        return Kill("", self.back_after)
