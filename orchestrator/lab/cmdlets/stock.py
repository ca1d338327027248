"""The cmdlets of the restricted runspace itself: Select-Object, Get-Command and their like."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from orchestrator.lab import vocabulary as v
from orchestrator.lab.binding import legal_parameters, remaining
from orchestrator.lab.cmdlet import Call, Cmdlet, Parameter
from orchestrator.lab.lists import Many, Table
from orchestrator.lab.output import SELECTED_BASES, Cell, Output
from orchestrator.lab.records import Problem

_COMMAND_TYPES = v.choice("System.Management.Automation.CommandTypes", Cmdlet=8)


async def _select(call: Call) -> None:
    first = call.arguments.get("First")
    inputs = list(call.inputs or ())[: int(str(first)) if first is not None else None]
    expanded = call.arguments.get("ExpandProperty")
    wanted = call.arguments.get("Property")
    for one in inputs:
        if isinstance(one, Cell):
            call.streams.write(one)
        elif expanded is not None:
            for cell in _expanded(call, one, str(expanded)):
                call.streams.write(cell)
        elif wanted is None:
            call.streams.write(one)
        else:
            call.streams.write(selected(one, _names(wanted)))


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def selected(output: Output, names: tuple[str, ...]) -> Output:
    """Return the object that Select-Object makes: note properties, ``Selected.`` before its type.

    A property that the object lacks becomes null, as in PowerShell.
    """
    cells = output.cells
    chosen: dict[str, Cell] = {}
    for name in names:
        matches = [name] if name in cells else _matching(cells, name)
        for key in matches:
            chosen[key] = cells[key]
        if not matches and "*" not in name:
            chosen[name] = Cell(v.TEXT, None)
    alike = None if output.key is None else (output.key, names)
    return Output((f"Selected.{output.types[0]}", *SELECTED_BASES), None, {}, chosen, alike)


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    folded = pattern.casefold()
    return [name for name in names if fnmatchcase(name.casefold(), folded)]


def _expanded(call: Call, output: Output, name: str) -> Iterator[Cell]:
    """Yield a property's value, the members of a collection one by one."""
    for key, cell in output.cells.items():
        if key.casefold() != name.casefold():
            continue
        if isinstance(cell.form, Many) and isinstance(cell.value, tuple):
            yield from (Cell(cell.form.item, member) for member in cell.value)
        elif cell.value is not None:
            yield cell
        return
    call.streams.error(
        Problem(
            f'Property "{name}" cannot be found.',
            f"ExpandPropertyNotFound,{call.cmdlet.implementation}",
            "System.Management.Automation.PSArgumentException",
            "InvalidArgument",
            call.cmdlet.name,
            name,
        )
    )


async def _measure(call: Call) -> None:
    cells = {"Count": Cell(v.WHOLE, len(call.inputs or ()))}
    for name in ("Average", "Sum", "Maximum", "Minimum", "Property"):
        cells[name] = Cell(v.TEXT, None)
    types = ("GenericMeasureInfo", "MeasureInfo")
    names = tuple(f"Microsoft.PowerShell.Commands.{one}" for one in types)
    call.streams.write(Output((*names, "System.Object"), None, cells))


async def _silent(call: Call) -> None:
    """Take the input and say nothing."""


def command_reader(cmdlets: Mapping[str, Cmdlet]) -> Cmdlet:
    """Return Get-Command over *cmdlets*, showing only what the user's roles grant."""

    async def read(call: Call) -> None:
        names = call.arguments.get("Name")
        for pattern in _names(names) if names is not None else ("*",):
            shown = list(_visible(call, cmdlets, pattern))
            for cmdlet, parameters in shown:
                call.streams.write(_command(cmdlet, parameters))
            if not shown and "*" not in pattern:
                call.streams.error(_unknown(call, pattern))

    return Cmdlet(
        "Get-Command",
        "Microsoft.PowerShell.Commands.GetCommandCommand",
        read,
        {
            "Name": Parameter(v.TEXT, position=0, listed=True),
            "CommandType": Parameter(),
            "ArgumentList": Parameter(),
        },
        stock=True,
    )


def _visible(
    call: Call, cmdlets: Mapping[str, Cmdlet], pattern: str
) -> Iterator[tuple[Cmdlet, Mapping[str, Parameter]]]:
    rights = call.session.rights
    for name, cmdlet in cmdlets.items():
        if name != cmdlet.name.casefold():  # another spelling of one that is there
            continue
        if fnmatchcase(name, pattern.casefold()) and (cmdlet.stock or cmdlet.name in rights):
            visible = remaining(call.session, cmdlet)
            yield cmdlet, legal_parameters(cmdlet, visible)


def _command(cmdlet: Cmdlet, parameters: Mapping[str, Parameter]) -> Output:
    table = dict.fromkeys(parameters, "System.Management.Automation.ParameterMetadata")
    types = ("CmdletInfo", "CommandInfo")
    return Output(
        (*(f"System.Management.Automation.{one}" for one in types), "System.Object"),
        cmdlet.name,
        {
            "Name": Cell(v.TEXT, cmdlet.name),
            "CommandType": Cell(_COMMAND_TYPES, "Cmdlet"),
            "Visibility": Cell(v.TEXT, "Public"),
            "Parameters": Cell(Table(), table),
        },
    )


def _unknown(call: Call, name: str) -> Problem:
    return Problem(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or "
        "operable program.",
        f"CommandNotFoundException,{call.cmdlet.implementation}",
        "System.Management.Automation.CommandNotFoundException",
        "ObjectNotFound",
        call.cmdlet.name,
        name,
    )


async def _help(call: Call) -> None:
    name = str(call.arguments.get("Name") or "default")
    cells = {"Name": Cell(v.TEXT, name), "Synopsis": Cell(v.TEXT, "")}
    call.streams.write(Output(("HelpInfoShort", "System.Object"), name, {}, cells))


_ONE = Parameter(position=0)

STOCK = (
    Cmdlet(
        "Select-Object",
        "Microsoft.PowerShell.Commands.SelectObjectCommand",
        _select,
        {
            "Property": _ONE,
            "ExpandProperty": Parameter(v.TEXT),
            "First": Parameter(v.WHOLE),
            "InputObject": Parameter(),
        },
        stock=True,
    ),
    Cmdlet(
        "Measure-Object",
        "Microsoft.PowerShell.Commands.MeasureObjectCommand",
        _measure,
        {"Property": _ONE, "InputObject": Parameter()},
        stock=True,
    ),
    Cmdlet(
        "Out-Default",
        "Microsoft.PowerShell.Commands.OutDefaultCommand",
        _silent,
        {"InputObject": Parameter()},
        stock=True,
    ),
    Cmdlet(
        "Get-FormatData",
        "Microsoft.PowerShell.Commands.GetFormatDataCommand",
        _silent,
        {"TypeName": _ONE, "PowerShellVersion": Parameter()},
        stock=True,
    ),
    Cmdlet(
        "Get-Help",
        "Microsoft.PowerShell.Commands.GetHelpCommand",
        _help,
        {"Name": _ONE, "Category": Parameter()},
        stock=True,
    ),
    Cmdlet("Exit-PSSession", "System.Management.Automation.ExitPSSession", _silent, stock=True),
)
