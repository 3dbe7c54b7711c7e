"""What models are in use: name, size, licence, where each came from. Loads no weights, asks no network."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from index.encoder import BUNDLED, READING


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """One model: what it does here, its name, its size on disk in bytes (0 while not downloaded)."""

    role: str
    name: str
    where: str
    size: int
    licence: str
    made_from: str


def models_in_use(encoder: str, reader: str) -> Iterator[ModelInUse]:
    """The models that these settings load, in the order in which a question meets them."""
    found = _described("encoder", encoder or str(BUNDLED), "local folder" if encoder else "bundled")
    own = Path(encoder or BUNDLED) / READING
    beside = own.stat().st_size if own.is_file() else 0
    yield replace(found, size=found.size - beside)
    if reader:
        yield _described("reader", reader, "local folder")
    elif beside:
        yield replace(found, role="reader", size=beside)


def _described(role: str, model: str, where: str) -> ModelInUse:
    folder = Path(model)
    if not folder.is_dir():
        card = _cached(model, "README.md") or _cached(model, "config.json")
        folder = card.parent if card else folder
        where = "hub, kept on this machine" if card else "hub, downloaded when first used"
    said = _front_matter(folder / "README.md")
    base = said.get("base_model") or "not said"
    return ModelInUse(
        role=role,
        name=model if where != "bundled" else folder.name,
        where=where,
        size=sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()),
        licence=str(said.get("license") or "not said"),
        made_from=", ".join(map(str, base)) if isinstance(base, list) else str(base),
    )


def _cached(model: str, file: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, file)
    return Path(found) if isinstance(found, str) else None


def _front_matter(card: Path) -> dict[str, Any]:
    try:
        head = card.read_text("utf-8").split("---\n")[1]
        said = yaml.safe_load(head)
    except (OSError, UnicodeDecodeError, IndexError, yaml.YAMLError):
        return {}
    return said if isinstance(said, dict) else {}
