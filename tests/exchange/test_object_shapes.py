"""Whatever shape a property arrives in, decisions see one; what cannot be read is never empty."""

import pytest

from orchestrator.core.command import Record
from orchestrator.core.facts import UnknownFact, Value
from orchestrator.exchange.objects import (
    CMDLET,
    OBJECT_KINDS,
    RECEIVE_CONNECTOR,
    RECEIVE_LIST,
    SEND_CONNECTOR,
    TRANSPORT_CONFIG,
    find,
    kind_of,
    observe,
    read,
)

_GUID = "75D6AEB5-CD4A-4C58-AB2C-76304EA198AB"
_DOMAIN = Record(("Microsoft.Exchange.Data.SmtpDomain",), "fabrikam.com")
_LIST = ("Microsoft.Exchange.Data.MultiValuedProperty`1[[Microsoft.Exchange.Data.SmtpDomain]]",)
_TWO = ("fabrikam.com", "adatum.com")


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (_TWO, _TWO),
        (list(_TWO), _TWO),
        ("fabrikam.com", ("fabrikam.com",)),
        ("fabrikam.com, adatum.com", _TWO),
        ("fabrikam.com,adatum.com,", _TWO),
        (Record(_LIST, value=_TWO), _TWO),
        (Record(_LIST, "System.Collections.ArrayList", value=list(_TWO)), _TWO),
        (Record(_LIST, value=(_DOMAIN, "adatum.com")), _TWO),
        (Record(_LIST, value=(_DOMAIN, None)), ("fabrikam.com",)),
        (Record(_LIST, properties={"Count": 2, "Values": _TWO}), _TWO),
        (Record(_LIST, properties={"Values": Record(value=_TWO)}), _TWO),
        (Record(_LIST, "fabrikam.com, adatum.com"), _TWO),
        (Record(_LIST, "fabrikam.com", properties={"One": _TWO, "Two": ()}), ("fabrikam.com",)),
        (Record(value="fabrikam.com"), ("fabrikam.com",)),
        (Record(_LIST, value=()), ()),
        (Record(_LIST, ""), ()),
        (None, ()),
        ("", ()),
        ((), ()),
    ],
)
def test_a_list_is_read_in_every_shape_it_comes_in(value: object, members: Value) -> None:
    assert read("list", value, "the list") == members


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        {"fabrikam.com": 1},
        Record(_LIST),
        Record(_LIST, properties={"Count": 2}),
        Record(_LIST, properties={"One": ("a",), "Two": ("b",)}),
        Record(_LIST, value={"a": 1}),
        (Record(("Microsoft.Exchange.Data.SmtpDomain",)),),
        ("",),
        "System.String[]",
        "Microsoft.Exchange.Data.SmtpDomain[]",
        "fabrikam.com\r\nadatum.com",
        "{fabrikam.com, adatum.com}",
        "Microsoft.Exchange.Data.MultiValuedProperty`1[Microsoft.Exchange.Data.SmtpDomain]",
    ],
)
def test_what_is_no_readable_list_is_unknown_and_not_empty(value: object) -> None:
    with pytest.raises(UnknownFact, match="the list: the server sent a list in a form"):
        read("list", value, "the list")


@pytest.mark.parametrize(
    ("value", "flags"),
    [
        ("Tls, Integrated", ("Tls", "Integrated")),
        (Record(text="Tls, Integrated", value=3), ("Tls", "Integrated")),
        (Record(value="Tls"), ("Tls",)),
        ("None", ()),
        (Record(text="None", value=0), ()),
        (None, None),
        ("", None),
    ],
)
def test_no_flag_is_something_else_than_no_answer(value: object, flags: Value) -> None:
    assert read("flags", value, "AuthMechanism") == flags


@pytest.mark.parametrize("value", [Record(value=31), Record(text="31", value=31), "31"])
def test_an_enumeration_of_which_only_the_number_came_is_unknown(value: object) -> None:
    with pytest.raises(UnknownFact):
        read("flags", value, "AuthMechanism")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (True, True),
        (False, False),
        ("True", True),
        ("false", False),
        ("$true", True),
        ("$FALSE", False),
        (Record(text="True", value=True), True),
        (Record(value=False), False),
        (None, None),
        ("", None),
        (Record(), None),
    ],
)
def test_true_and_false_are_read_in_words_too(value: object, answer: Value) -> None:
    assert read("bool", value, "Enabled") is answer


@pytest.mark.parametrize("value", [0, 1, "yes", "Enabled", Record(value=1)])
def test_what_is_neither_true_nor_false_is_unknown(value: object) -> None:
    with pytest.raises(UnknownFact, match="Enabled"):
        read("bool", value, "Enabled")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (25, 25),
        ("25", 25),
        (" -1 ", -1),
        (Record(value=25), 25),
        (Record(text="25"), 25),
        (None, None),
        ("", None),
    ],
)
def test_a_whole_number_is_read_from_text_too(value: object, answer: Value) -> None:
    assert read("int", value, "Port") == answer


@pytest.mark.parametrize("value", [True, "Unlimited", "--5", "\u00b2", "9" * 40, 2.5])
def test_what_is_no_whole_number_is_unknown(value: object) -> None:
    with pytest.raises(UnknownFact, match="Port"):
        read("int", value, "Port")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("text", "text"),
        (None, None),
        (Record(text="EX01"), "EX01"),
        (Record(value="EX01"), "EX01"),
        (7, "7"),
    ],
)
def test_text_is_what_an_object_calls_itself(value: object, answer: Value) -> None:
    assert read("text", value, "Server") == answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (None, None),
        (True, True),
        (7, 7),
        ("a, b", "a, b"),
        (("a", "b"), ("a", "b")),
        (["a"], ("a",)),
        (Record(value=("a", "b")), ("a", "b")),
        (Record(text="5000"), "5000"),
        (2.5, "2.5"),
    ],
)
def test_a_property_in_no_table_keeps_its_natural_shape(value: object, answer: Value) -> None:
    assert read("any", value, "MaxInboundConnection") == answer


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ({"Identity": 1, "Enabled": 2}, ("Identity", "Enabled")),
        (Record(value={"Enabled": 1}), ("Enabled",)),
        ((Record(properties={"Key": "Enabled"}), Record(text="Confirm")), ("Enabled", "Confirm")),
        ([Record(properties={"Name": "Enabled"})], ("Enabled",)),
        (("Enabled",), ("Enabled",)),
        (None, ()),
        ("System.Collections.Generic.Dictionary", ()),
    ],
)
def test_parameters_are_the_keys_of_a_dictionary(value: object, names: Value) -> None:
    assert read("keys", value, "Parameters") == names


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Microsoft.Exchange.Data.Directory.SystemConfiguration.ReceiveConnector", "Receive"),
        ("Deserialized.Microsoft.Exchange.Data.ReceiveConnector", "Receive"),
        ("Selected.Microsoft.Exchange.Data.ReceiveConnector", "Receive"),
        ("Deserialized.Selected.Microsoft.Exchange.Data.ReceiveConnector", "Receive"),
        ("Microsoft.Exchange.Data.SmtpSendConnectorConfig", "Send"),
        ("System.Management.Automation.PSCustomObject", None),
    ],
)
def test_a_kind_is_told_by_the_last_part_of_a_type_name(name: str, kind: str | None) -> None:
    found = kind_of(Record((name, "System.Object")))
    assert found == (kind and f"{kind}Connector")


def test_an_object_without_type_names_is_of_no_kind() -> None:
    assert kind_of(Record()) is None


def test_only_what_was_asked_for_is_looked_at() -> None:
    record = Record(properties={"Guid": _GUID, "Name": "From Fabrikam", "Bindings": object()})
    found = observe(RECEIVE_CONNECTOR, record, ("Guid", "Name", "Enabled"))
    assert found.properties == {"Guid": _GUID, "Name": "From Fabrikam"}


@pytest.mark.parametrize(
    ("properties", "label"),
    [
        ({"Server": Record(text="EX01"), "Name": "From F"}, "EX01\\From F"),
        ({"Identity": Record(text="EX01\\From F"), "Name": "From F"}, "EX01\\From F"),
        ({"Identity": Record(text="From F"), "Name": "From F"}, "From F"),
        ({"Name": "From F"}, "From F"),
    ],
)
def test_a_receive_connector_is_called_by_server_and_name(
    properties: dict[str, object], label: str
) -> None:
    record = Record(properties={**properties, "Guid": _GUID})
    found = observe(RECEIVE_CONNECTOR, record, (*properties, "Guid"))
    assert (found.ref.label, found.ref.guid) == (label, _GUID.lower())


@pytest.mark.parametrize("written", [f"{{{_GUID}}}", _GUID.replace("-", ""), f" {_GUID} "])
def test_a_guid_is_the_same_however_it_is_written(written: str) -> None:
    record = Record(properties={"Guid": written, "Name": "To Fabrikam"})
    assert observe(SEND_CONNECTOR, record, ("Guid", "Name")).ref.guid == _GUID.lower()


def test_an_object_without_a_guid_goes_by_its_place_and_without_either_is_unknown() -> None:
    record = Record(properties={"Name": "To F", "DistinguishedName": "CN=To F,DC=contoso"})
    assert observe(SEND_CONNECTOR, record, ("Name",)).ref.guid == "cn=to f,dc=contoso"
    nameless = Record(properties={"Name": "To F"})
    with pytest.raises(UnknownFact, match="neither its Guid nor its place"):
        observe(SEND_CONNECTOR, nameless, ("Name",))


def test_the_transport_configuration_and_a_cmdlet_have_names_of_their_own() -> None:
    config = Record(properties={"Guid": _GUID, RECEIVE_LIST: None})
    assert observe(TRANSPORT_CONFIG, config, ("Guid", RECEIVE_LIST)).ref.label == TRANSPORT_CONFIG
    cmdlet = observe(CMDLET, Record(properties={"Name": "Set-TransportConfig"}), ("Name",))
    assert cmdlet.ref.guid == "set-transportconfig"
    assert find([cmdlet], "SET-transportconfig") is cmdlet
    assert find([cmdlet], "Set-SendConnector") is None


def test_every_row_of_the_table_is_called_by_its_key() -> None:
    assert all(kind.name == name for name, kind in OBJECT_KINDS.items())
