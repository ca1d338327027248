"""What Event Viewer and PowerShell call the fields of an event, in the languages of Windows.

To add a language, add its words to the rows of WORDS. The sentence of an event is in the same
language, and is not read for that reason. English is [seen]; the others are to the best of our
knowledge [inf]: a label that differs makes a file of unknown form, never another event.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a field says."""

    LOG = "log"
    PROVIDER = "provider"
    TIME = "time"
    ID = "id"
    COMPUTER = "computer"
    MESSAGE = "message"
    STRINGS = "strings"
    RECORD = "record"
    OTHER = "other"


WORDS: Final[Mapping[Role, str]] = {
    Role.LOG: "Log Name|Protokollname|Nom du journal|Nombre de registro|Nome registro|"
    "Nome do Log|Nome do Registo|Logboeknaam|Loggnamn|Lognavn|Loggnavn|Nazwa dziennika|"
    "Název protokolu|Имя журнала|ログの名前|日志名称|記錄檔名稱|로그 이름",
    Role.PROVIDER: "Source|Quelle|Origen|Origine|Fonte|Origem|Bron|Källa|Kilde|Źródło|Zdroj|"
    "Источник|ソース|来源|來源|원본|ProviderName",
    Role.TIME: "Date|Datum|Fecha|Data|Dato|Дата|日付|日期|날짜|Date and Time|"
    "Datum und Uhrzeit|Date et heure|Fecha y hora|Data e ora|Data e hora|Datum en tijd|"
    "TimeCreated|TimeGenerated",
    Role.ID: "Event ID|Ereignis-ID|ID de l'événement|Id. del evento|Id. de evento|ID del evento|"
    "ID evento|Identificação do Evento|ID do Evento|Gebeurtenis-id|Händelse-ID|Hændelses-id|"
    "Hendelses-ID|Identyfikator zdarzenia|ID události|Код события|イベント ID|"
    "事件 ID|事件識別碼|이벤트 ID|EventID|Id",
    Role.COMPUTER: "Computer|Ordinateur|Equipo|Computador|Dator|Datamaskin|Komputer|Počítač|"
    "Компьютер|コンピューター|计算机|電腦|컴퓨터|MachineName",
    Role.MESSAGE: "Description|Beschreibung|Descripción|Descrizione|Descrição|Beschrijving|"
    "Beskrivning|Beskrivelse|Opis|Popis|Описание|説明|描述|설명|Message",
    Role.STRINGS: "ReplacementStrings",
    Role.RECORD: "RecordId|Index",
    Role.OTHER: "Task Category|Aufgabenkategorie|Catégorie de la tâche|Categoría de la tarea|"
    "Categoria attività|Categoria da Tarefa|Taakcategorie|Level|Ebene|Niveau|Nivel|Livello|"
    "Nível|Keywords|Schlüsselwörter|Mots clés|Palabras clave|Parole chiave|Palavras-chave|"
    "Trefwoorden|User|Benutzer|Utilisateur|Usuario|Utente|Usuário|Gebruiker|OpCode",
}

COLUMNS: Final[Mapping[Role | None, str]] = {
    Role.PROVIDER: "providername",
    Role.ID: "eventid",
    Role.COMPUTER: "machinename",
    Role.TIME: "timecreated",
    Role.MESSAGE: "message",
}
"""The name that ``fields.SHAPES`` has for what a field of Event Viewer says."""

_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


def _key(word: str) -> str:
    plain = unicodedata.normalize("NFC", word).translate(_QUOTES).casefold()
    return re.sub(r"\s+", " ", plain).strip()


_KNOWN: Final[Mapping[str, Role]] = {
    _key(word): role for role, words in WORDS.items() for word in words.split("|")
}
# The same where a file of an older encoding was read, and each letter beyond ASCII was lost.
_LOSSY: Final[Mapping[str, Role]] = {
    re.sub(r"[^\x00-\x7f]|'", "\ufffd", word): role for word, role in _KNOWN.items()
}


def role(word: str) -> Role | None:
    """Return what the field called *word* says, or None for a word that is no field's."""
    key = _key(word)
    if key in _KNOWN:
        return _KNOWN[key]
    # A space that does not break, before a French colon, is lost as well.
    return _LOSSY.get(key.rstrip("\ufffd ")) if not key.isascii() else None


_BEFORE = re.compile(r"[>\s]*")
_COLON = re.compile(r"[:\uff1a](?!//)")
_LONGEST: Final = 40
_FAR: Final = 80
"""Characters of a label, and how far from the beginning of it its colon may stand."""


def labelled(line: str) -> tuple[Role, str] | None:
    """Return what *line* says if it is a field and its value, else None.

    A line may be as long as a stranger likes: nothing in here looks at any of it twice.
    """
    begun = _BEFORE.match(line)
    start = begun.end() if begun else 0
    colon = _COLON.search(line, start, start + _FAR)
    word = line[start : colon.start()].rstrip() if colon else ""
    known = role(word) if 1 < len(word) <= _LONGEST else None
    return (known, line[colon.end() :].strip()) if colon and known else None
