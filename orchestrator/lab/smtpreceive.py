"""SmtpReceive protocol logs as Exchange writes them: comma-separated, a row for each line [doc]."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from orchestrator.lab.mail import Message, Taken

FOLDER = "C:\\Program Files\\Microsoft\\Exchange Server\\V15\\TransportRoles\\Logs"
FOLDER_2010 = FOLDER.replace("V15", "V14")

FIELDS = (
    "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,"
    "context"
)


def folder(role: str) -> str:
    """Return the directory of one role's logs, ``FrontEnd`` or ``Hub``; "" on 2010 [doc]."""
    if not role:
        return f"{FOLDER_2010}\\ProtocolLog\\SmtpReceive"
    return f"{FOLDER}\\{role}\\ProtocolLog\\SmtpReceive"


def head(at: datetime) -> str:
    """Return the lines with which a file begins."""
    return (
        "#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n"
        f"#Log-type: SMTP Receive Protocol Log\r\n#Date: {_time(at)}\r\n#Fields: {FIELDS}\r\n"
    )


def lines(  # noqa: PLR0913, PLR0917 - a session has that many sides
    host: str, role: str, message: Message, taken: Taken, at: datetime, session: int
) -> tuple[str, str]:
    """Return the path of the file and the rows of one session."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    name = taken.port.name if taken.port else ""
    remote = f"[{message.address}]" if ":" in message.address else message.address
    for number, (event, data, context) in enumerate(_talk(host, message, taken)):
        writer.writerow(
            (
                _time(at),
                f"{host}\\{name}",
                f"{session:016X}",
                number,
                "192.0.2.1:25",
                f"{remote}:{40000 + session % 20000}",
                event,
                data,
                context,
            )
        )
    # One file an hour; on 2010 one a day [doc].
    stamp = f"{at:%Y%m%d%H}" if role else f"{at:%Y%m%d}"
    return f"{folder(role)}\\RECV{stamp}-1.LOG", out.getvalue()


def _talk(host: str, message: Message, taken: Taken) -> Iterator[tuple[str, str, str]]:
    yield "+", "", ""
    yield ">", f"220 {host} Microsoft ESMTP MAIL Service ready", ""
    yield "<", f"EHLO mail.{message.domain}", ""
    yield ">", f"250  {host} Hello SIZE PIPELINING 8BITMIME", ""
    if taken.tls:
        yield "<", "STARTTLS", ""
        yield ">", "220 2.0.0 SMTP server ready", ""
        yield "*", f"CN={host}", "Sending certificate"
        yield "*", "", "TLS protocol SP_PROT_TLS1_2_SERVER negotiation succeeded"
        yield "<", f"EHLO mail.{message.domain}", ""
        yield ">", f"250  {host} Hello SIZE PIPELINING 8BITMIME", ""
    yield "<", f"MAIL FROM:<news@{message.domain}> SIZE=1234", ""
    yield ">", taken.reply, ""
    yield "<", "QUIT", ""
    yield "-", "", "Remote"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
