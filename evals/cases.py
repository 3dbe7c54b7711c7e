"""Case: a question and what its answer must hold, read from reviewed YAML. Knows nothing about scores."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from bot.answers import Question, Turn
from bot.values import tokens

FOLDER = Path(__file__).with_name("cases")
THRESHOLDS = "thresholds.yaml"  # lies among the cases, is not one of them
KEYS = frozenset({"id", "question", "history", "facts", "forbidden", "documents", "refuse", "tags"})


@dataclass(frozen=True, slots=True)
class Case:
    """One check.

    The answer must hold every group of `facts`, a group by any of its aliases, and nothing of
    `forbidden`; or, where `refuse`, it must be a refusal. `documents` are ids, any of which proves the
    answer. `history` are the turns before the question, oldest first.
    """

    id: str
    question: str
    history: tuple[Turn, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    refuse: bool = False
    tags: tuple[str, ...] = ()

    @property
    def asked(self) -> Question:
        """What the bot is asked."""
        return Question(self.question, self.history)


def group_of(case: Case) -> str:
    """What is asked for: the same for all wordings of one question, so that a split keeps them together."""
    return " | ".join(sorted(group[0] for group in case.facts)) or case.id


def in_test_split(group: str) -> bool:
    """Whether a group belongs to the test split, which nothing is fitted on: a fixed fifth, by hash."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % 5 == 0


class CaseFileError(ValueError):
    """Files that cannot be used: `problems` are all their mistakes, « file:line: what is wrong »."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def case_files(folder: Path) -> list[Path]:
    """Every `*.yaml` of `folder` but the thresholds, in order of name."""
    return sorted(p for p in folder.glob("*.yaml") if p.name != THRESHOLDS)


def read_cases(folder: Path = FOLDER) -> tuple[Case, ...]:
    """Read every `*.yaml` of `folder` but the thresholds, in order of name.

    Raises CaseFileError with every mistake of every file.
    """
    paths = case_files(folder)
    problems = [] if paths else [f"{folder}: no .yaml file with cases"]
    cases: list[Case] = []
    seen: dict[str, str] = {}
    for path in paths:
        for case, where in _read_file(path, problems):
            if case.id in seen:
                problems.append(f"{where}: « {case.id} » is already the id of the case at {seen[case.id]}")
            seen.setdefault(case.id, where)
            cases.append(case)
    if problems:
        raise CaseFileError(tuple(problems))
    return tuple(cases)


def compose(path: Path, problems: list[str]) -> yaml.Node | None:
    """The YAML nodes of a file, which know their lines; None, and the reason in `problems`, on failure."""
    try:
        text = path.read_text(encoding="utf-8")
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path}:1: cannot be read: {error}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        problems.append(f"{path}:{mark.line + 1 if mark else 1}: not valid YAML: {problem}")
    else:
        if node is None:
            problems.append(f"{path}:1: the file is empty")
        return node
    return None


def case_of(path: Path, line: int, fields: Mapping[str, Any], problems: list[str]) -> Case | None:
    """A case from plain values (texts, lists of them, mappings) that stand at `line`, counted from 1.

    Its mistakes are those of a YAML file; each is added to `problems`, and then there is no case.
    """
    mark = yaml.Mark(str(path), 0, line - 1, 0, None, 0)

    def node(value: Any) -> yaml.Node:
        if isinstance(value, Mapping):
            pairs = [(node(key), node(each)) for key, each in value.items()]
            return yaml.MappingNode("", pairs, mark)
        if isinstance(value, (list, tuple)):
            return yaml.SequenceNode("", [node(each) for each in value], mark)
        return yaml.ScalarNode("", str(value), mark)

    return _Reader(path, problems).case(node(fields))


def as_yaml(cases: Iterable[Case]) -> str:
    """The text of a file that reads as `cases`."""
    return yaml.safe_dump(
        [_plain(case) for case in cases], allow_unicode=True, sort_keys=False, width=110, indent=2
    )


def _plain(case: Case) -> dict[str, Any]:
    fields = {
        "id": case.id,
        "question": case.question,
        "history": [{"role": turn.role, "content": turn.content} for turn in case.history],
        "documents": list(case.documents),
        "facts": [group[0] if len(group) == 1 else list(group) for group in case.facts],
        "forbidden": list(case.forbidden),
        "refuse": case.refuse,
        "tags": list(case.tags),
    }
    return {key: value for key, value in fields.items() if value}


def _read_file(path: Path, problems: list[str]) -> Iterator[tuple[Case, str]]:
    node = compose(path, problems)
    if node is None:
        return
    if not isinstance(node, yaml.SequenceNode):
        problems.append(f"{path}:1: expected a list of cases, « - id: … »")
        return
    for item in node.value:
        reader = _Reader(path, problems)
        case = reader.case(item)
        if case:
            yield case, f"{path}:{_line(item)}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Reader:
    """Reads one case and notes each of its mistakes with its line."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems

    def note(self, node: yaml.Node, problem: str) -> None:
        self.problems.append(f"{self.path}:{_line(node)}: {problem}")

    def case(self, node: yaml.Node) -> Case | None:
        before = len(self.problems)
        fields = self.mapping(node, KEYS, "a case")
        if fields is None:
            return None
        for key in ("id", "question", "tags"):
            if key not in fields:
                self.note(node, f"the case has no « {key} »")
        case = Case(
            id=self.text(fields.get("id")),
            question=self.text(fields.get("question")),
            history=tuple(self.turn(item) for item in self.items(fields.get("history"), "history")),
            facts=tuple(self.texts(item, "a fact") for item in self.items(fields.get("facts"), "facts")),
            forbidden=self.texts(fields.get("forbidden"), "forbidden"),
            documents=self.texts(fields.get("documents"), "documents"),
            refuse=self.flag(fields.get("refuse")),
            tags=self.texts(fields.get("tags"), "tags"),
        )
        for text in (text for group in (*case.facts, case.forbidden) for text in group):
            if not tokens(text):
                self.note(node, f"« {text} » holds no word to look for")
        if case.refuse and (case.facts or case.documents):
            self.note(node, "a case to refuse has no « facts » and no « documents »")
        if not case.refuse and not (case.facts and case.documents):
            self.note(node, "a case to answer needs « facts » and « documents » (or « refuse: true »)")
        return case if len(self.problems) == before else None

    def mapping(self, node: yaml.Node, keys: frozenset[str], what: str) -> dict[str, yaml.Node] | None:
        if not isinstance(node, yaml.MappingNode):
            self.note(node, f"{what} must be « key: value » lines")
            return None
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in fields:
                self.note(key, f"« {key.value} » is given twice")
            elif key.value not in keys:
                self.note(key, f"unknown key « {key.value} »; known: {', '.join(sorted(keys))}")
            else:
                fields[key.value] = value
        return fields

    def text(self, node: yaml.Node | None) -> str:
        """A scalar as it is written, so that « 70 » and « 2022-03-31 » stay text."""
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            self.note(node, "expected a text")
            return ""
        return str(node.value).strip()

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.note(node, f"« {what} » must be a list, and not an empty one")
            return []
        return list(node.value)

    def texts(self, node: yaml.Node | None, what: str) -> tuple[str, ...]:
        """A list of texts; a single text stands for a list of one."""
        if isinstance(node, yaml.ScalarNode):
            return (self.text(node),)
        return tuple(self.text(item) for item in self.items(node, what))

    def flag(self, node: yaml.Node | None) -> bool:
        if node is not None and getattr(node, "value", None) not in ("true", "false"):
            self.note(node, "« refuse » must be true or false")
        return node is not None and bool(node.value == "true")

    def turn(self, node: yaml.Node) -> Turn:
        fields = self.mapping(node, frozenset({"role", "content"}), "a turn") or {}
        role: Literal["user", "assistant"] = "user"
        given = self.text(fields.get("role"))
        if given == "assistant":
            role = "assistant"
        elif given != "user":
            self.note(node, "a turn needs « role: user » or « role: assistant »")
        content = self.text(fields.get("content"))
        if "content" not in fields:
            self.note(node, "a turn needs « content »")
        return Turn(role, content)
