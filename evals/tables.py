"""Cases as a spreadsheet, for people who live in one: XLSX or CSV, headings in French or English.

One row a case. `facts`: a line each, wordings of one fact separated by « | ». `forbidden`: a line each.
`documents`, `tags`: separated by commas or lines. `history`: lines « Q : … » and « R : … ». A backslash
before « | », « , » or a backslash makes it an ordinary character; « \\n » is a new line inside a text.
"""

import csv
import datetime
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.cases import Case, CaseFileError, case_of
from index.errors import RepereError

HEADINGS = {  # ours → as it is exported, then what else is understood
    "id": ("identifiant", "id"),
    "question": ("question",),
    "history": ("dialogue", "history", "historique"),
    "facts": ("faits", "facts"),
    "forbidden": ("interdits", "forbidden"),
    "documents": ("documents", "document"),
    "refuse": ("refuser", "refuse"),
    "tags": ("étiquettes", "tags", "etiquettes"),
}
WIDTHS = (28, 50, 40, 50, 30, 28, 10, 20)  # of the columns, in characters
YES, NO = ("oui", "yes", "true", "vrai", "x", "1"), ("", "non", "no", "false", "faux", "0")
SPEAKERS = {"q": "user", "r": "assistant", "a": "assistant"}
TURN = re.compile(r"([QRAqra])\s*:\s*(.*)", re.S)
ESCAPES = {"\\": "\\\\", "|": "\\|", ",": "\\,", "\n": "\\n", "\r": "\\r"}


MISSING = "spreadsheets in .xlsx need one more package (.csv does not); run: pip install -e '.[evals]'"


class TableError(RepereError):
    """A table that cannot be read or written at all."""


def read_table(path: Path) -> tuple[Case, ...]:
    """The cases of an .xlsx or .csv file.

    Raises CaseFileError with every mistake of every row, « file:row: … »; TableError for another file.
    """
    rows = _xlsx(path) if path.suffix.lower() == ".xlsx" else _csv(path)
    problems: list[str] = []
    columns = _columns(path, next(rows, ()), problems)
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        cells = {key: row[at] for key, at in columns.items() if at < len(row) and row[at]}
        if not cells:
            continue
        case = case_of(path, number, _fields(path, number, cells, problems), problems)
        if case and case.id in seen:
            problems.append(f"{path}:{number}: « {case.id} » is already the id of row {seen[case.id]}")
        if case:
            seen.setdefault(case.id, number)
            cases.append(case)
    if not problems and not cases:
        problems.append(f"{path}:2: there is no case in it")
    if problems:
        raise CaseFileError(tuple(problems))
    return tuple(cases)


def write_table(cases: Iterable[Case], path: Path) -> None:
    """Write cases as .xlsx or .csv, whole or not at all. Raises TableError."""
    head = [names[0] for names in HEADINGS.values()]
    rows = [head, *(_row(case) for case in cases)]
    data = _xlsx_bytes(rows, path) if path.suffix.lower() == ".xlsx" else _csv_bytes(rows, path)
    write_whole(path, data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name, then rename it. Raises TableError when that cannot be done."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise TableError(f"« {path} » cannot be written: {error.strerror}") from None


def _columns(path: Path, head: Sequence[str], problems: list[str]) -> dict[str, int]:
    known = {name: key for key, names in HEADINGS.items() for name in names}
    columns: dict[str, int] = {}
    for at, name in enumerate(cell.strip().lower() for cell in head):
        if not name:
            continue
        if name not in known:
            wanted = ", ".join(names[0] for names in HEADINGS.values())
            problems.append(f"{path}:1: unknown column « {name} »; known: {wanted}")
        elif known[name] in columns:
            problems.append(f"{path}:1: the column « {name} » is there twice")
        else:
            columns[known[name]] = at
    if problems or not columns:
        raise CaseFileError(tuple(problems) or (f"{path}:1: the first row must name the columns",))
    return columns


def _fields(path: Path, number: int, cells: dict[str, str], problems: list[str]) -> dict[str, Any]:
    """The cells of a row as the values that a YAML file would hold."""
    fields: dict[str, Any] = {}
    for key, cell in cells.items():
        if key == "facts":
            fields[key] = [_split(line, "|") for line in _split(cell, "\n")]
        elif key == "forbidden":
            fields[key] = _split(cell, "\n")
        elif key in ("documents", "tags"):
            fields[key] = [each for line in _split(cell, "\n") for each in _split(line, ",")]
        elif key == "history":
            fields[key] = [_turn(path, number, line, problems) for line in _split(cell, "\n")]
        elif key == "refuse":
            if cell.strip().lower() not in YES + NO:
                problems.append(f"{path}:{number}: « {cell.strip()} » is neither « oui » nor « non »")
            elif cell.strip().lower() in YES:
                fields[key] = "true"
        else:
            fields[key] = cell.strip()
    texts = {key: _unescaped(value) for key, value in fields.items()}
    return {key: value for key, value in texts.items() if value}


def _turn(path: Path, number: int, line: str, problems: list[str]) -> dict[str, str]:
    found = TURN.fullmatch(line.strip())
    if not found:
        problems.append(f"{path}:{number}: a line of the dialogue begins with « Q : » or « R : »")
        return {"role": "user", "content": line}
    return {"role": SPEAKERS[found[1].lower()], "content": found[2]}


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash stands before, still escaped; empty ones dropped."""
    parts = re.findall(rf"(?:\\.|[^\\{re.escape(separator)}]|\\$)+", text, re.S)
    return [part.strip() for part in parts if part.strip()]


def _unescaped(value: Any) -> Any:
    if isinstance(value, list):
        return [_unescaped(each) for each in value]
    if isinstance(value, dict):
        return {key: _unescaped(each) for key, each in value.items()}
    return re.sub(r"\\([\\|,nr])", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), value)


def _escaped(text: str, characters: str) -> str:
    return "".join(ESCAPES[c] if c in characters else c for c in text)


def _row(case: Case) -> list[str]:
    one, line, part = "\\\n\r", "\\\n\r|", "\\\n\r,"
    turns = (("Q" if turn.role == "user" else "R", turn.content) for turn in case.history)
    return [
        _escaped(case.id, one),
        _escaped(case.question, one),
        "\n".join(f"{who} : {_escaped(text, one)}" for who, text in turns),
        "\n".join(" | ".join(_escaped(alias, line) for alias in group) for group in case.facts),
        "\n".join(_escaped(text, one) for text in case.forbidden),
        ", ".join(_escaped(name, part) for name in case.documents),
        "oui" if case.refuse else "",
        ", ".join(_escaped(tag, part) for tag in case.tags),
    ]


def _xlsx(path: Path) -> Iterator[list[str]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise TableError(MISSING) from None
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        rows = [[_cell(value) for value in row] for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    except OSError as error:
        raise TableError(f"« {path} » cannot be read: {error.strerror or error}") from None
    except Exception as error:  # noqa: BLE001 — a broken file breaks openpyxl in many ways
        raise TableError(f"« {path} » is not an .xlsx file ({type(error).__name__})") from None
    return iter(rows)


def _cell(value: object) -> str:
    """What a person reads in the cell: « 70 » for 70.0, the date alone for a day."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _csv(path: Path) -> Iterator[list[str]]:
    if path.suffix.lower() != ".csv":
        raise TableError(f"« {path} » is neither .xlsx nor .csv")
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TableError(f"« {path} » cannot be read: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")  # as Excel in French saves it
    head = text.split("\n", 1)[0]
    separator = max(";,\t", key=head.count)
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _csv_bytes(rows: list[list[str]], path: Path) -> bytes:
    if path.suffix.lower() != ".csv":
        raise TableError(f"« {path} » is neither .xlsx nor .csv")
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # with the mark by which Excel knows UTF-8


def _xlsx_bytes(rows: list[list[str]], path: Path) -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError:
        raise TableError(MISSING) from None

    book = Workbook()
    sheet = book.active
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            try:
                cell.value = text
            except IllegalCharacterError:
                raise TableError(f"« {path} » cannot hold the control character in « {row[0]} »") from None
            cell.data_type = "s"  # text, even where it looks like a formula or a number
            cell.number_format = "@"
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            cell.font = Font(bold=number == 1)
    for letter, width in zip("ABCDEFGH", WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
