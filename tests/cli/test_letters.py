"""``orchestrator contact-partner``: a letter opened and read, sent once, never twice blindly."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import yaml

from orchestrator.cli.codes import ExitCode
from tests.cli.door import Answer, Door, attended
from tests.postman.servers import Mailbox, dropping, mail_server, scripted

WAY_BACK = ("--reply-to", "contoso@provider.example", "--telephone", "+1 425 555 0100")
EVENTS = ("--file", "tests/eventlog/data/list.xml", "--zone", "Europe/Berlin")


def write(door: Door, *more: str) -> Answer:
    return door(
        "contact-partner",
        "fabrikam.com",
        *WAY_BACK,
        *EVENTS,
        "--letter-dir",
        str(door.folder),
        *more,
    )


def opened(door: Door) -> EmailMessage:
    [file] = door.folder.glob("*.eml")
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def served_by(door: Door, port: int) -> None:
    file = door.folder / "inventory.yaml"
    inventory = yaml.safe_load(file.read_text())
    for organization in inventory["organizations"].values():
        organization["smtp"] = {
            "host": "127.0.0.1",
            "port": port,
            "tls": "none",
            "sender": "mail@contoso.example",
        }
    file.write_text(yaml.safe_dump(inventory))


@contextmanager
def mailbox_for(door: Door, mailbox: Mailbox) -> Iterator[Mailbox]:
    with mail_server(mailbox) as port:
        served_by(door, port)
        yield mailbox


def letter_id(door: Door) -> str:
    [letter] = door("runs", "list", "--output", "json").document["letters"]
    return str(letter["id"])


def standing(door: Door) -> str:
    [letter] = door("runs", "list", "--output", "json").document["letters"]
    return str(letter["standing"])


def test_a_letter_says_all_that_the_partner_needs(door: Door) -> None:
    assert write(door).code == ExitCode.DONE
    message = opened(door)
    assert message["To"] == "postmaster@fabrikam.com"
    assert message["Reply-To"] == "contoso@provider.example"
    assert "fabrikam.com" in message["Subject"]
    words = " ".join(message.get_content().split())
    for needed in (
        "2026-11-12 14:14:15 UTC (2026-11-12 15:14:15 CET",
        r"EX01\Default Frontend EX01",
        "530 5.7.1",
        "STARTTLS",
        "client authentication",
        "name the domain fabrikam.com",
        "+1 425 555 0100",
    ):
        assert needed in words
    assert door.received() == []


def test_both_files_are_their_owners_alone(door: Door) -> None:
    write(door)
    files = [*door.folder.glob("fabrikam.com-*")]
    assert sorted(file.suffix for file in files) == [".eml", ".txt"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_address_of_ours_is_no_way_to_answer(door: Door) -> None:
    answer = door("contact-partner", "fabrikam.com", *WAY_BACK, "--reply-to", "a@contoso.example")
    assert answer.code == ExitCode.REFUSED
    assert "contoso.example is an accepted domain" in answer.words
    assert not list(door.folder.glob("*.eml"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--reply-to", ""), "--reply-to: it is missing"),
        (("--telephone", ""), "needs a telephone number"),
        (("--reply-to", "x@y@z\r\nBcc: a@b.example"), "no mail address"),
        (("--to", "Bob <bob@fabrikam.com>"), "no mail address"),
        (("--at", "yesterday"), "does not say an instant"),
        (("--event", "4711"), "none of Domain Security"),
        (("--send", "--yes"), "names no SMTP server"),
        (("--send", "--dry-run"), "contradict"),
        (("--template", "/nowhere/letter.txt"), "template cannot be read"),
    ],
)
def test_what_cannot_be_a_letter_is_refused_and_leaves_nothing(
    door: Door, given: tuple[str, ...], said: str
) -> None:
    answer = write(door, *given)
    assert answer.code == ExitCode.USAGE
    assert said in answer.words
    assert not list(door.folder.glob("fabrikam.com-*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [(("--reply-to", "a@mail.fabrikam.com"), "itself"), (("--event", "11018"), "AuthMechanism")],
)
def test_what_helps_nobody_is_refused(door: Door, given: tuple[str, ...], said: str) -> None:
    answer = write(door, *given)
    assert answer.code == ExitCode.REFUSED
    assert said in answer.words


def test_a_dry_run_shows_the_letter_and_leaves_nothing(door: Door) -> None:
    answer = write(door, "--dry-run")
    assert answer.code == ExitCode.DONE
    assert "530 5.7.1" in answer.out
    assert not list(door.folder.glob("fabrikam.com-*"))


def test_a_letter_is_sent_as_it_was_written_and_only_once(door: Door) -> None:
    with mailbox_for(door, Mailbox()) as mailbox:
        assert write(door, "--send", "--yes").code == ExitCode.DONE
        [file] = door.folder.glob("*.eml")
        assert mailbox.letters == [file.read_bytes()]
        assert standing(door) == "accepted"
        again = door("resume", letter_id(door), "--yes")
        assert again.code == ExitCode.REFUSED
        assert "taken over already" in again.words
        assert len(mailbox.letters) == 1
    assert door.received() == []


def test_nothing_is_sent_where_nobody_can_be_asked(door: Door) -> None:
    with mailbox_for(door, Mailbox()) as mailbox:
        assert write(door, "--send").code == ExitCode.USAGE
    assert not mailbox.letters
    assert not list(door.folder.glob("fabrikam.com-*"))


def test_a_person_sees_the_letter_and_no_is_the_default(door: Door) -> None:
    with mailbox_for(door, Mailbox()) as mailbox:
        arguments = ("contact-partner", "fabrikam.com", *WAY_BACK, "--letter-dir", str(door.folder))
        with attended((*arguments, "--send")) as person:
            person.waits_for("Send this letter to postmaster@fabrikam.com?")
            assert "530 5.7.1" in person.seen
            person.types("")
            assert person.leaves() == ExitCode.DONE
    assert not mailbox.letters
    assert standing(door) == "written"


def test_a_refused_letter_is_kept_and_can_be_sent_again(door: Door) -> None:
    with mailbox_for(door, Mailbox(rcpt="550 5.1.1 nobody")) as mailbox:
        answer = write(door, "--send", "--yes")
        assert answer.code == ExitCode.FAILED
        assert "550 5.1.1 nobody" in answer.words
        assert standing(door) == "refused"
        mailbox.rcpt = ""
        assert door("resume", letter_id(door), "--yes").code == ExitCode.DONE
        assert len(mailbox.letters) == 1


def test_a_hand_over_that_broke_before_the_letter_is_taken_up_again(door: Door) -> None:
    with scripted(dropping("data")) as port:
        served_by(door, port)
        assert write(door, "--send", "--yes").code == ExitCode.NO_CONTACT
    assert standing(door) == "written"
    with mailbox_for(door, Mailbox()) as mailbox:
        assert door("resume", letter_id(door), "--yes").code == ExitCode.DONE
    assert len(mailbox.letters) == 1


def test_a_letter_in_doubt_is_sent_again_only_on_a_persons_word(door: Door) -> None:
    with scripted(dropping("after")) as port:
        served_by(door, port)
        assert write(door, "--send", "--yes").code == ExitCode.UNKNOWN
    assert standing(door) == "in-doubt"
    name = letter_id(door)
    with mailbox_for(door, Mailbox()) as mailbox:
        held = door("resume", name, "--yes")
        assert held.code == ExitCode.REFUSED
        assert "--not-arrived" in held.words
        assert not mailbox.letters
        assert door("resume", name, "--yes", "--not-arrived", "not tracked").code == ExitCode.DONE
        assert len(mailbox.letters) == 1
    told = door("runs", "show", name).words
    assert "says that it did not arrive: not tracked" in told


def test_the_kill_switch_holds_letters_back(door: Door) -> None:
    with mailbox_for(door, Mailbox()) as mailbox:
        door("stop", "wait")
        assert write(door, "--send", "--yes").code == ExitCode.REFUSED
    assert not mailbox.letters
    assert not list(door.folder.glob("fabrikam.com-*"))


def test_a_letter_is_listed_and_exported_beside_runs(door: Door) -> None:
    write(door, "--reason", "CHG-1")
    assert "letter" in door("runs", "list").out
    exported = door("runs", "export").document["letters"]
    assert exported[0]["mandate"]["reason"] == "CHG-1"
    assert "530 5.7.1" in door("runs", "show", letter_id(door)).out
    assert door("journal", "check").code == ExitCode.DONE


def test_an_incident_is_what_a_letter_is_about_and_remembers_it(door: Door) -> None:
    door.lab.organization.logs["EX01"].write(
        "MSExchangeFrontEndTransport", 11017, ("fabrikam.com", "From Fabrikam")
    )
    door("events")
    folder = ("--letter-dir", str(door.folder), "--incident", "contoso-fabrikam.com-1")
    assert door("contact-partner", "fabrikam.com", *WAY_BACK, *folder).code == ExitCode.DONE
    words = opened(door).get_content()
    assert "event 11017" in words
    assert "From Fabrikam" in words
    assert letter_id(door) in door("incidents", "show", "fabrikam.com").words
    other = door("contact-partner", "adatum.com", *WAY_BACK, *folder)
    assert other.code == ExitCode.USAGE
    assert "is about fabrikam.com" in other.words


def test_run_says_which_command_writes_letters(door: Door) -> None:
    answer = door("run", "contact-partner", "--set", "domain=fabrikam.com")
    assert answer.code == ExitCode.USAGE
    assert "orchestrator contact-partner fabrikam.com --reply-to" in answer.words


def test_ones_own_template_is_filled_in_and_its_faults_have_a_line(door: Door) -> None:
    template = door.folder / "mine.txt"
    template.write_text("Subject: {{ domain }}\nCall {{ telephone }}.\n")
    assert write(door, "--template", str(template)).code == ExitCode.DONE
    assert opened(door).get_content().splitlines() == ["Call +1 425 555 0100."]
    template.write_text("Subject: x\n\n{{ telefone }}\n")
    answer = write(door, "--template", str(template))
    assert answer.code == ExitCode.USAGE
    assert f"{template}:3" in answer.words.replace(" ", "")
    assert "telefone" in answer.words


def test_no_file_is_ever_replaced(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.app.composition.new_batch", lambda _: "20261125-000000-0000")
    (door.folder / "fabrikam.com-20261125-000000-0000.txt").write_text("mine")
    assert write(door).code == ExitCode.USAGE
    assert [file.read_text() for file in door.folder.glob("fabrikam.com-*")] == ["mine"]
    assert Path(door.folder / "store").is_dir() is False
