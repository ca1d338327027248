"""What a hostile server can cost: time and memory of one client, attack by attack.

Each attack is met by a process of its own, which opens a session and reads; what the system says
of that process is printed. The first row is a client that nobody attacks.

    python -m bench.bounds
"""

import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from orchestrator.core.command import command
from orchestrator.core.errors import TransportError
from orchestrator.transports.psrp import open_session
from orchestrator.transports.target import Target
from tests.hostile.villain import (
    OUTPUT,
    WARNING,
    Request,
    Villain,
    envelope,
    finished,
    fragment,
    message,
    page,
    received,
    speaking,
)

Script = Callable[[Request], Iterable[bytes]]

_OK: Final = b"HTTP/1.1 200 OK\r\n"
_MESSAGE: Final = 4 * 1024 * 1024 - 200
_LOUD: Final = "x" * 100_000


def _forever(kind: int, xml: str, each: int) -> Script:
    def pipeline(_: Request) -> Iterator[str]:
        for start in itertools.count(10, each):
            said = [fragment(message(kind, xml), which=start + at) for at in range(each)]
            yield received(b"".join(said))

    return speaking(pipeline=pipeline)


def _one(xml: str) -> Script:
    """Return a server that sends one message, in as many answers as it takes."""
    whole = message(OUTPUT, xml)
    pieces = [whole[at : at + 500_000] for at in range(0, len(whole), 500_000)]

    def pipeline(_: Request) -> Iterator[str]:
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            yield received(fragment(piece, which=10, number=number, last=last))
        yield from finished()

    return speaking(pipeline=pipeline)


def _headers(_: Request) -> Iterator[bytes]:
    yield _OK
    yield from (b"X-%d: %s\r\n" % (number, b"y" * 60_000) for number in itertools.count())


def _body(_: Request) -> Iterator[bytes]:
    yield _OK + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def _interim(_: Request) -> Iterator[bytes]:
    yield from itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _drip(_: Request) -> Iterator[bytes]:
    yield _OK + b"Content-Length: 5000\r\n\r\n"
    while True:
        time.sleep(0.05)
        yield b" "


def _references(levels: int) -> str:
    twice = (
        f'<Obj N="a" RefId="{at}"><LST><Ref RefId="{at - 1}"/><Ref RefId="{at - 1}"/></LST></Obj>'
        for at in range(1, levels)
    )
    first = '<Obj N="a" RefId="0"><LST><S>a</S></LST></Obj>'
    return (
        f'<Obj RefId="z"><MS>{first}{"".join(twice)}<Ref N="Name" RefId="{levels - 1}"/></MS></Obj>'
    )


def _filled(begin: str, piece: str, end: str) -> str:
    return begin + piece * ((_MESSAGE - len(begin) - len(end)) // len(piece)) + end


_LAUGHS: Final = "<!DOCTYPE a [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + at)} '{f'&{chr(97 + at)};' * 10}'>" for at in range(9)
)

ATTACKS: Final[dict[str, Script]] = {
    "none": speaking(pipeline=lambda _: finished(xml="<S>a</S>")),
    "headers without end": _headers,
    "a body without end": _body,
    "interim answers without end": _interim,
    "a body, a byte at a time": _drip,
    "a page of 1 MB of '<'": lambda _: page(b"<" * 1_000_000, status="500 Error"),
    "1 MB in punycode": lambda _: page(
        b"a" * 1_000_000 + b"-a", "Content-Type: text/html; charset=punycode", status="500 Error"
    ),
    "billion laughs": lambda _: page(f"{_LAUGHS}]><a>&j;</a>".encode()),
    "elements in elements, 1 MB": lambda _: page(b"<a>" * 345_000),
    "1 MB of small elements": lambda request: envelope(request, "<a/>" * 250_000),
    "output without end": _forever(OUTPUT, f"<S>{_LOUD}</S>", 5),
    "small outputs without end": _forever(OUTPUT, "<Nil/>", 8_000),
    "warnings without end": _forever(WARNING, f"<S>{_LOUD}</S>", 5),
    "small warnings without end": _forever(WARNING, "<S>a</S>", 8_000),
    "a message without end": speaking(
        pipeline=lambda _: (
            received(fragment(_LOUD.encode() * 5, which=10, number=number, last=False))
            for number in itertools.count()
        )
    ),
    "a message of small elements": _one(_filled("<Obj><LST>", "<Nil/>", "</LST></Obj>")),
    "a message of objects": _one(_filled("<Obj><LST>", "<Obj/>", "</LST></Obj>")),
    "references to references": _one(_references(60)),
    "references to a long text": _one(
        _filled(
            f'<Obj><LST><Obj RefId="0"><LST><S>{"a" * 2_000_000}</S></LST></Obj>',
            '<Ref RefId="0"/>',
            "</LST></Obj>",
        )
    ),
}


def _client(port: int) -> None:
    """Be the client of one attack, and print what it cost."""
    target = Target(
        name="ex1.contoso.com",
        address="127.0.0.1",
        port=port,
        auth="basic",
        allow_cleartext=True,
        user="admin",
        secret=lambda: "public",
    )
    begin = time.monotonic()
    try:
        session = open_session(target)
        for output in session.invoke((command("Get-ReceiveConnector"),)).output:
            str(output)
        session.close()
        end = "read"
    except TransportError as error:
        end = type(error).__name__
    spent = time.monotonic() - begin
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{spent:.1f} {usage.ru_utime + usage.ru_stime:.1f} {usage.ru_maxrss // 1024} {end}")


def main() -> int:
    """Print a row for each attack."""
    print(f"{'attack':<30} {'seconds':>8} {'CPU s':>6} {'MiB':>6}  end")
    for name, attack in ATTACKS.items():
        with Villain(attack) as villain:
            child = [sys.executable, "-m", "bench.bounds", str(villain.port)]
            said = subprocess.run(child, capture_output=True, text=True, check=True).stdout
        seconds, cpu, memory, end = said.split()
        print(f"{name:<30} {seconds:>8} {cpu:>6} {memory:>6}  {end}", flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _client(int(sys.argv[1]))
    else:
        sys.exit(main())
