"""What every kind of store promises about holds: one holder, no writing after losing it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from orchestrator.core.errors import HeldError
from orchestrator.journal import HoldLost, Owner, Store

if TYPE_CHECKING:
    from subprocess import Popen

GUID = "2f1c9c4e-6c1e-4c57-9d2b-0c2f5a6f7a11"
OTHER = "93b0a2de-3f0e-4a53-a8a3-5a1d5f7f1b02"
LEASE = timedelta(minutes=5)
Owners = Callable[..., Owner]
Start = Callable[..., "Popen[str]"]


def test_a_second_hold_is_told_who_has_the_first_and_since_when(
    store: Store, reopen: Callable[[], Store], owner: Owners, clock: list[datetime]
) -> None:
    since = clock[0]
    with store.hold(GUID, owner("alice"), LEASE):
        clock[0] += timedelta(minutes=1)
        for attempt in (store, reopen()):
            with pytest.raises(HeldError, match=r"alice on jump1.*12:00:00 UTC") as caught:
                attempt.hold(GUID, owner("bob"), LEASE)
            assert (caught.value.owner, caught.value.since) == (str(owner("alice")), since)


def test_organizations_are_held_independently(store: Store, owner: Owners) -> None:
    with store.hold(GUID, owner(), LEASE), store.hold(OTHER, owner(), LEASE) as second:
        assert second.organization == OTHER


def test_one_organization_has_one_hold_however_its_guid_is_spelled(
    store: Store, owner: Owners
) -> None:
    with store.hold(GUID, owner(), LEASE), pytest.raises(HeldError):
        store.hold("{" + GUID.upper() + "}", owner(), LEASE)


@pytest.mark.parametrize("text", ["", "contoso", "../../etc/passwd"])
def test_only_a_guid_can_be_held(store: Store, owner: Owners, text: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        store.hold(text, owner(), LEASE)


def test_tokens_grow_with_every_hold(
    store: Store, reopen: Callable[[], Store], owner: Owners
) -> None:
    tokens = []
    for attempt in (store, reopen(), store):
        with attempt.hold(GUID, owner(), LEASE) as hold:
            tokens.append(hold.token)
    assert tokens == [1, 2, 3]


def test_a_hold_ends_with_its_block_even_when_that_fails(store: Store, owner: Owners) -> None:
    with pytest.raises(KeyError), store.hold(GUID, owner(), LEASE):
        raise KeyError
    store.hold(GUID, owner("bob"), LEASE).release()


def test_releasing_twice_does_not_touch_the_next_hold(store: Store, owner: Owners) -> None:
    first = store.hold(GUID, owner(), LEASE)
    first.release()
    with store.hold(GUID, owner("bob"), LEASE) as second:
        first.release()
        second.renew()
        with pytest.raises(HeldError):
            store.hold(GUID, owner(), LEASE)


def test_nothing_is_written_under_a_hold_that_was_given_back(store: Store, owner: Owners) -> None:
    hold = store.hold(GUID, owner(), LEASE)
    assert store.append("runs/1", 0, [b"one"], hold=hold) == 1
    hold.release()
    with pytest.raises(HoldLost, match="given back") as caught:
        store.append("runs/1", 1, [b"two"], hold=hold)
    assert caught.value.owner == ""
    with pytest.raises(HoldLost):
        hold.renew()
    assert len(store.read("runs/1")) == 1


def test_nothing_is_written_under_a_hold_that_another_one_followed(
    store: Store, owner: Owners
) -> None:
    old = store.hold(GUID, owner(), LEASE)
    old.release()
    with store.hold(GUID, owner("bob"), LEASE), pytest.raises(HoldLost, match="bob on jump1"):
        store.append("runs/1", 0, [b"one"], hold=old)
    assert store.streams() == ()


def test_a_living_process_keeps_its_hold_beyond_its_lease(
    store: Store, owner: Owners, holder: Start, clock: list[datetime]
) -> None:
    holder(GUID)
    clock[0] += timedelta(days=1)
    with pytest.raises(HeldError, match="bob on jump1"):
        store.hold(GUID, owner(), LEASE)


def test_a_process_that_gives_its_hold_back_leaves_it_free(
    store: Store, owner: Owners, holder: Start
) -> None:
    process = holder(GUID)
    assert process.communicate("", timeout=60)[0] == "released\n"
    with store.hold(GUID, owner(), LEASE) as hold:
        assert hold.token == 2


def test_a_killed_holder_on_this_host_is_replaced_at_once(
    store: Store, owner: Owners, holder: Start
) -> None:
    process = holder(GUID)
    process.kill()
    process.wait(60)
    with store.hold(GUID, owner(), LEASE) as hold:
        assert hold.token == 2


def test_a_killed_holder_on_another_host_counts_until_its_lease_ends(
    store: Store, owner: Owners, holder: Start, clock: list[datetime]
) -> None:
    process = holder(GUID, host="jump2", lease=LEASE)
    process.kill()
    process.wait(60)
    clock[0] += LEASE - timedelta(seconds=1)
    with pytest.raises(HeldError, match="bob on jump2") as caught:
        store.hold(GUID, owner(), LEASE)
    assert "12:05:00 UTC" in caught.value.advice
    clock[0] += timedelta(seconds=1)
    with store.hold(GUID, owner(), LEASE) as hold:
        assert hold.token == 2
