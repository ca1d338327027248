"""What servers say, by language. A client must not need any of it."""

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "not-found": "The operation couldn't be performed because object '{0}' couldn't be found "
        "on '{1}'.",
        "ambiguous": "The operation couldn't be performed because '{0}' matches multiple entries.",
        "unmodified": "The command completed successfully but no settings of '{0}' have been "
        "modified.",
        "unknown-command": "The term '{0}' is not recognized as the name of a cmdlet, function, "
        "script file, or operable program. Check the spelling of the name, or if a path was "
        "included, verify that the path is correct and try again.",
        "unknown-parameter": "A parameter cannot be found that matches parameter name '{0}'.",
        "ambiguous-parameter": "Parameter cannot be processed because the parameter name '{0}' is "
        "ambiguous.",
        "missing-parameter": "Cannot process command because of one or more missing mandatory "
        "parameters: {0}.",
        "positional": "A positional parameter cannot be found that accepts argument '{0}'.",
        "transformation": "Cannot process argument transformation on parameter '{0}'. Cannot "
        'convert value "{1}" to type "{2}". Error: "{3}"',
        "no-language": "The syntax is not supported by this runspace. This can occur if the "
        "runspace is in no-language mode.",
        "too-many": "The value of property '{0}' exceeds the maximum allowed number of {1} values.",
        "controller": "The domain controller '{0}' is not available. Error message: The LDAP "
        "server is unavailable.",
        "binding": "The values that you specified for the Bindings and RemoteIPRanges parameters "
        'conflict with the settings on Receive connector "{0}". {1}',
        "binding-ranges": "Receive connectors with the same binding must have different remote IP "
        "ranges.",
        "binding-roles": "Receive connectors assigned to different Transport roles on a single "
        "server must listen on unique local IP address & port bindings.",
        "certificate": "The value of property 'TlsCertificateName' of '{0}' isn't valid: the "
        "certificate couldn't be found in the local store.",
        "transient": "An Active Directory error occurred when communicating with '{0}'. It may be "
        "transient: please try again.",
        "newer": "The object '{0}' has been created by a newer version of Exchange ({1}) than the "
        "one this server runs, and can't be changed here.",
        "server-down": "The server '{0}' couldn't be contacted. The RPC server is unavailable.",
        "no-prompt": "A command that prompts the user failed because the host program or the "
        "command type does not support user interaction.",
        "what-if": "What if: {0}",
        "confirm": "Confirm",
        "sure": "Are you sure you want to perform this action?",
        "modify-TransportConfig": "Modifying the transport configuration settings of the "
        'Exchange organization "{0}".',
        "modify-ReceiveConnector": 'Modifying Receive connector "{0}".',
        "modify-SendConnector": 'Modifying Send connector "{0}".',
    },
    "de": {
        "not-found": "Der Vorgang konnte nicht ausgeführt werden, da das Objekt '{0}' auf '{1}' "
        "nicht gefunden wurde.",
        "ambiguous": "Der Vorgang konnte nicht ausgeführt werden, da '{0}' mehreren Einträgen "
        "entspricht.",
        "unmodified": "Der Befehl wurde erfolgreich abgeschlossen, es wurden jedoch keine "
        "Einstellungen von '{0}' geändert.",
        "unknown-command": 'Die Benennung "{0}" wurde nicht als Name eines Cmdlet, einer '
        "Funktion, einer Skriptdatei oder eines ausführbaren Programms erkannt.",
        "unknown-parameter": 'Es wurde kein Parameter gefunden, der dem Parameternamen "{0}" '
        "entspricht.",
        "controller": "Der Domänencontroller '{0}' ist nicht verfügbar. Fehlermeldung: Der "
        "LDAP-Server ist nicht verfügbar.",
        "certificate": "Der Wert der Eigenschaft 'TlsCertificateName' von '{0}' ist ungültig: Das "
        "Zertifikat wurde im lokalen Speicher nicht gefunden.",
        "transient": "Bei der Kommunikation mit '{0}' ist ein Active Directory-Fehler aufgetreten. "
        "Versuchen Sie es erneut.",
        "what-if": "WhatIf: {0}",
        "modify-TransportConfig": 'Die Transportkonfiguration der Exchange-Organisation "{0}" '
        "wird geändert.",
        "modify-ReceiveConnector": 'Der Empfangsconnector "{0}" wird geändert.',
        "modify-SendConnector": 'Der Sendeconnector "{0}" wird geändert.',
    },
}


def say(language: str, key: str, *values: object) -> str:
    """Return a sentence in *language*, in English where it was never translated."""
    return TEXTS[language].get(key, TEXTS["en"][key]).format(*values)
