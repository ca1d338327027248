"""``orchestrator playbook``, as somebody meets it who writes one."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.__main__ import main
from orchestrator.core.playbook import Invocation
from orchestrator.loader import find_playbook, playbook_names
from orchestrator.render.playbook import SENTENCES, sentence
from orchestrator.steps import PREDICATES, PROOFS, STEP_KINDS

Say = Callable[..., tuple[int, str]]

SHUT = """
    name: shut-printers
    title: Shut the printers' connector
    description: Disables the connector of the printers on one server.
    inputs:
      connector: {type: receive-connector, required: true, description: Which one.}
    steps:
      - property:
          object: ReceiveConnector
          identity: "{{ connector }}"
          property: Enabled
          equals: false
"""

REHEARSAL = r"""
    playbook: shut-printers
    cases:
      - name: the printers' connector goes off
        scenario: dedicated-pair
        inputs: {connector: 'EX01\Printers'}
        expect:
          changes:
            - {object: 'EX01\Printers', property: Enabled, before: true, after: false}
"""


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that calls the program and returns its code and what it said."""
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return int(code), said.out + said.err

    return call


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of somebody's own, with a playbook and its rehearsal in it."""
    for name, text in (("playbooks", SHUT), ("tests/playbooks", REHEARSAL)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "shut-printers.yaml").write_text(textwrap.dedent(text).lstrip())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_list_names_every_playbook_with_its_event(say: Say) -> None:
    code, said = say("playbook", "list")
    assert code == 0
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert set(playbook_names()) <= set(lines)
    assert lines["remove-domain-security"].endswith("11012")


def test_the_list_is_a_document_too(say: Say) -> None:
    rows = json.loads(say("playbook", "list", "--output", "json")[1])["playbooks"]
    assert [row["name"] for row in rows] == list(playbook_names())
    assert rows[0]["answers"][0] == {"source": "MSExchangeTransport", "event": 11018}


def test_a_playbook_is_explained_in_words(say: Say) -> None:
    code, said = say("playbook", "show", "retire-dedicated-connectors")
    words = " ".join(said.split())
    assert code == 0
    assert "--set domain=... (domain, required)" in words
    assert "--set include_send=... (boolean, default false)" in words
    assert "1. TLSReceiveDomainSecureList does not hold <domain>" in words
    assert "2. the receive connector <connector> is disabled, on every server" in words
    assert "3. TLSSendDomainSecureList does not hold <domain>, if <include_send>" in words
    assert "run retire-dedicated-connectors --set domain=... --set connector=... --dry-run" in words


def test_what_only_a_person_decides_is_said(say: Say) -> None:
    code, said = say("playbook", "show", "offer-tls")
    words = " ".join(said.split())
    assert code == 0
    assert "For a person only" in words
    assert "With --yes nobody is asked: then --approved-by has to name who decided." in words
    assert "the AuthMechanism of the receive connector <connector> includes Tls" in words
    found = json.loads(say("playbook", "show", "offer-tls", "--output", "json")[1])
    assert found["playbook"]["attended"] is True
    assert "For a person only" not in say("playbook", "show", "remove-domain-security")[1]


def test_a_connector_of_either_side_is_said(say: Say) -> None:
    words = " ".join(say("playbook", "show", "reenable-domain-secure")[1].split())
    assert "DomainSecureEnabled is true for the receive connector <connector>" in words
    assert "and the send connector <send_connector>, where <domain> is listed" in words
    assert "deferred" in words
    assert "bounces" in words


def test_a_playbook_of_ones_own_is_explained_by_its_file(say: Say, author: Path) -> None:
    code, said = say("playbook", "show", str(author / "playbooks" / "shut-printers.yaml"))
    assert code == 0
    assert "ReceiveConnector <connector> Enabled is False" in said


def test_a_playbook_as_a_document_has_the_words_as_well(say: Say) -> None:
    found = json.loads(say("playbook", "show", "remove-domain-security", "--output", "json")[1])
    assert found["playbook"]["inputs"][0]["name"] == "domain"
    assert found["playbook"]["steps"] == [
        {
            "kind": "domain_secure_list",
            "arguments": {"list": "receive", "domain": "{{ domain }}", "state": "absent"},
            "words": "TLSReceiveDomainSecureList does not hold <domain>",
        }
    ]


def test_every_kind_has_a_sentence() -> None:
    assert set(SENTENCES) == {*STEP_KINDS, *PREDICATES, *PROOFS}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"equals": 5}, "TransportConfig Some is 5"),
        ({"includes": "a"}, "TransportConfig Some holds a"),
        ({"excludes": "a"}, "TransportConfig Some does not hold a"),
        ({"flags": "Tls, Integrated"}, "TransportConfig Some is Tls, Integrated"),
    ],
)
def test_each_state_of_a_property_has_its_words(
    arguments: dict[str, int | str], words: str
) -> None:
    given = {"object": "TransportConfig", "property": "Some", **arguments}
    assert sentence(Invocation("property", given)) == words


def test_a_condition_is_told_with_the_step() -> None:
    listed = Invocation("listed", {"list": "send", "domain": "{{ domain }}"})
    step = Invocation(
        "property", {"object": "TransportConfig", "property": "P", "equals": 1}, listed
    )
    assert sentence(step) == "TransportConfig P is 1, if TLSSendDomainSecureList holds <domain>"


def test_an_unknown_name_is_answered_with_the_nearest(say: Say) -> None:
    code, said = say("playbook", "show", "remove-domain-securty")
    assert code == 2
    assert "Did you mean 'remove-domain-security'?" in said


def test_what_ships_is_valid(say: Say) -> None:
    code, said = say("playbook", "validate", *(str(find_playbook(n)) for n in playbook_names()))
    assert code == 0
    assert len(said.splitlines()) == len(playbook_names())


def test_a_mistake_is_told_with_its_place_and_the_nearest_word(say: Say, author: Path) -> None:
    file = author / "playbooks" / "shut-printers.yaml"
    good = str(find_playbook("remove-domain-security"))
    file.write_text(file.read_text().replace("  - property:", "  - propertie:"))
    code, said = say("playbook", "validate", "playbooks/shut-printers.yaml", good)
    words = " ".join(said.split())
    assert code == 2
    assert "playbooks/shut-printers.yaml:7:5: there is no kind of step 'propertie'" in words
    assert "Did you mean 'property'?" in words
    assert good in words


def test_a_mistake_is_told_to_programs_too(say: Say, author: Path) -> None:
    file = author / "playbooks" / "shut-printers.yaml"
    file.write_text(file.read_text().replace("title:", "titel:"))
    code, said = say("playbook", "validate", "playbooks/shut-printers.yaml", "--output", "json")
    (found,) = json.loads(said)["files"]
    assert code == 2
    assert found["valid"] is False
    assert (found["error"]["line"], found["error"]["path"]) == (2, "titel")


def test_to_validate_brings_nothing_heavy() -> None:
    program = (
        "import sys; from orchestrator.__main__ import main; "
        f"main(['playbook', 'validate', {str(find_playbook('remove-domain-security'))!r}]); "
        "heavy = {'pypsrp', 'winrm', 'keyring', 'requests', 'rich', 'cryptography', 'sqlite3', "
        "'psrpcore', 'asyncio', 'spnego', 'h11'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ended = subprocess.run(  # noqa: S603 - this interpreter, with the program above
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_the_schema_knows_every_kind(say: Say) -> None:
    schema = json.loads(say("playbook", "schema")[1])
    sections = schema["$defs"]["Written"]["properties"]
    assert all(kind in json.dumps(sections["steps"]) for kind in STEP_KINDS)
    assert all(kind in json.dumps(sections["require"]) for kind in PREDICATES)
    assert all(kind in json.dumps(sections["verify"]) for kind in PROOFS)


def test_there_is_a_schema_of_rehearsals(say: Say) -> None:
    assert (
        "cases"
        in json.loads(say("playbook", "schema", "--rehearsal")[1])["$defs"]["Written"]["properties"]
    )


@pytest.mark.parametrize(
    "named",
    [
        (),
        ("shut-printers",),
        ("playbooks/shut-printers.yaml",),
        ("tests/playbooks/shut-printers.yaml",),
    ],
)
@pytest.mark.usefixtures("author")
def test_an_author_rehearses_a_playbook(say: Say, named: tuple[str, ...]) -> None:
    code, said = say("playbook", "test", *named)
    assert code == 0, said
    assert "shut-printers" in said
    assert "the printers' connector goes off (dedicated-pair)" in said
    assert "1 case, 0 otherwise than expected." in said


def test_a_rehearsal_that_fails_says_what_was_expected_and_what_came(
    say: Say, author: Path
) -> None:
    file = author / "tests" / "playbooks" / "shut-printers.yaml"
    file.write_text(file.read_text().replace("before: true, after: false", "before: true"))
    code, said = say("playbook", "test")
    words = " ".join(said.split())
    assert code == 6
    assert r"expected: EX01\Printers Enabled from 'True' to ''" in words
    assert r"planned: EX01\Printers Enabled from 'True' to 'False'" in words
    assert "1 case, 1 otherwise than expected." in words


@pytest.mark.usefixtures("author")
def test_a_rehearsal_is_a_document_too(say: Say) -> None:
    code, said = say("playbook", "test", "--output", "json")
    assert code == 0
    assert json.loads(said)["cases"] == [
        {
            "playbook": "shut-printers",
            "case": "the printers' connector goes off",
            "scenario": "dedicated-pair",
            "faults": [],
        }
    ]


def test_a_playbook_without_a_rehearsal_is_told(say: Say) -> None:
    code, said = say("playbook", "test", "no-such-playbook")
    assert code == 2
    assert "there is no rehearsal of 'no-such-playbook'" in said
