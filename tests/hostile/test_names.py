"""Names that want to be more than names stay data: on the wire, on the screen, in every report."""

import csv
import io
import json
import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from orchestrator.core.command import command, powershell
from orchestrator.lab import parse_scenario
from orchestrator.lab.scenario import Scenario
from orchestrator.render.sheet import defused
from orchestrator.render.text import safe
from tests.cli.door import AGREED, Door

NAMES = {
    "a quote": "From 'Fabrikam'",
    "quotes that close": "x'; Remove-TransportRule -Identity '*",
    "typographic quotes": "x\u2019; Remove-Mailbox \u2018*",
    "an expression": "$(Remove-Item C:\\ -Recurse) `n ${env:PATH}",
    "script": "{ Get-Mailbox | Remove-Mailbox }; # <!-- --> ]]>",
    "markup of xml": "<S>&lt;a&gt;</S> ]]> &amp; &#0;",
    "lines": "From Fabrikam\n  1 change, made one at a time\nok  everything verified\r\nerror: no",
    "ansi": "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x1b[0m\x9b1m",
    "bidi": "From \u202emakirbaF\u202c \u2066x\u2069 \u200f",
    "unseen": "From\u200bFabri\u00adkam\u3164\ufe0f\U000e0041\u2060",
    "markup of rich": "[bold red]From[/bold red] [link=http://x]y[/link] [/] \\[a]",
    "a formula": "=cmd|' /C calc'!A0",
    "a formula behind a separator": 'x;=HYPERLINK("http://x")',
    "a path": "..\\..\\..\\etc\\passwd/../../x",
    "placeholders": "{{ domain }} %s {0} %(x)s ${x}",
    "beyond the first plane": "\U0001f4a9 \U0001f468\u200d\U0001f4bb",
    "very long": "L" * 65_000,
}

ESCAPED = re.compile(
    r"[^\n\x20-\x7e\xa0-\xac\xae-\u0fff\u2010-\u2027\u2030-\u205e\u20a0-\ud7ff\U0001f000-\U0001ffff]"
)


PLAIN = parse_scenario("""
title: Names
description: Names that want to be more than that.
receive_list: [fabrikam.com, adatum.com]
receive_connectors:
  - name: From Fabrikam
    properties:
      AuthMechanism: Tls
      DomainSecureEnabled: true
      PermissionGroups: Partners
      RemoteIPRanges: [203.0.113.10]
""")


def called(name: str) -> Scenario:
    """A partner whose connectors are called by *name*."""
    (one,) = PLAIN.receive_connectors
    commented = replace(one, name=name, properties={**one.properties, "Comment": name})
    return replace(PLAIN, receive_connectors=(commented,))


def guid_of(door: Door, name: str) -> str:
    """The Guid of the connector called *name* on the first server."""
    label = f"ReceiveConnector:EX01\\{name}"
    return str(door.lab.snapshot()[label]["Guid"])


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_a_name_stays_data_from_the_server_to_every_report(
    name: str, open_door: Callable[..., Door]
) -> None:
    door = open_door(called(name))
    guid = guid_of(door, name)
    told = ("--set", "domain=fabrikam.com", "--set", f"connector={guid}")
    run = ("run", "retire-dedicated-connectors", *told)
    said = [door(*run, "--dry-run"), door(*run, *AGREED), door("runs", "show", "last")]
    said += [door("runs", "list"), door("runs", "export", "--format", "csv"), door("exceptions")]
    said += [door("runs", "show", "last", "--output", "json"), door("rollback", "last", "--yes")]
    assert [one.code for one in said] == [0] * len(said), said
    for answer in said:
        text = answer.out.replace("\r\n", "\n") + answer.err
        assert not ESCAPED.search(text), ESCAPED.search(text)
        assert "\n  1 change, made one" not in answer.out or "lines" not in name
    touched = {entry.object for entry in door.lab.audit() if entry.effective}
    assert len(touched) == 3, touched
    rows = list(csv.reader(io.StringIO(said[4].out)))
    assert {len(row) for row in rows} == {21}
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    document = json.loads(said[6].out)
    label = document["runs"][0]["changes"][1]["object"]
    assert label.endswith(name)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_an_inventory_and_a_playbook_take_such_names_for_text_or_refuse_them(
    name: str, open_door: Callable[..., Door]
) -> None:
    door = open_door(PLAIN)
    file = door.folder / "inventory.yaml"
    file.write_text(file.read_text() + json.dumps(name[:100]) + ": {}\n")
    answer = door("inventory", "check")
    assert answer.code == 2
    assert not ESCAPED.search(answer.err.replace("\r\n", "\n"))
    playbook = door.folder / "book.yaml"
    playbook.write_text(f"name: book\ntitle: {json.dumps(name)}\nsteps: []\n")
    answer = door("playbook", "validate", str(playbook))
    assert answer.code == 2
    assert not ESCAPED.search((answer.out + answer.err).replace("\r\n", "\n"))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_words_of_the_operator_are_shown_as_they_were_meant(
    name: str, open_door: Callable[..., Door]
) -> None:
    door = open_door(PLAIN)
    words = ("--reason", name, "--ticket", name, "--approved-by", name, "--yes")
    said = [door("run", "remove-domain-security", "--set", "domain=fabrikam.com", *words)]
    said += [door("runs", "show", "last"), door("exceptions"), door("runs", "list")]
    said += [door("run", name), door("runs", "show", name), door("apply", name[:200])]
    said += [door("run", "remove-domain-security", "--set", f"domain={name}", "--dry-run")]
    said += [door("run", "remove-domain-security", "--set", f"{name}=x", "--limit", name)]
    assert [one.code for one in said[:4]] == [0] * 4, said
    assert {one.code for one in said[4:]} == {2}, said
    for answer in said:
        assert not ESCAPED.search(answer.out + answer.err), ESCAPED.search(answer.out + answer.err)


def test_the_line_that_is_shown_is_the_line_that_would_run() -> None:
    for code in (*range(0x3100), *range(0xD7F0, 0x10000), *range(0x1BCA0, 0x1D180), 0xE0001):
        line = powershell(command("Set-X", Identity=f"a{chr(code)}b"))
        assert safe(line, limit=len(line)) == line, hex(code)


@pytest.mark.parametrize("cell", ["=1", " =1", "x;=1", "x; \t+1", "\uff1d1", "@x", "-1", "\t=1"])
def test_no_cell_is_a_formula_to_any_spreadsheet(cell: str) -> None:
    parts = defused(cell).split(";")
    assert not any(part.lstrip()[:1] in {"=", "+", "-", "@", "\uff1d"} for part in parts)
