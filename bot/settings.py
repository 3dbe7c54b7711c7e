"""Everything that can be set, as one frozen dataclass read from the environment (REPERE_*)."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from index.encoder import EncoderName

LLM_PROVIDERS = ("ollama", "openai", "mistralai")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the documents and the index are, which models read them, where the page listens.

    `reader` is the model that reads questions beside passages, "" for the bundled one.
    `llm` is « provider:model » or "" for none; `llm_url` is where it answers, "" for the provider's own
    address; `llm_deadline` is how many seconds a whole reply may take.
    """

    knowledge: Path = Path("knowledge")
    index: Path = Path(".cache/index")
    encoder: EncoderName = field(default_factory=EncoderName)
    reader: str = ""
    host: str = "127.0.0.1"
    port: int = 7860
    llm: str = ""
    llm_url: str = field(default="", repr=False)  # an address may hold a password
    llm_deadline: float = 30.0

    @staticmethod
    def from_environment(**overrides: Any) -> "Settings":
        """Read REPERE_KNOWLEDGE, _INDEX, _ENCODER, _QUERY_PREFIX, _PASSAGE_PREFIX, _READER, _HOST, _PORT,
        _LLM, _LLM_URL and _LLM_DEADLINE.

        Overrides that are None are ignored. Raises ValueError when a value cannot be used.
        """
        default = Settings()
        port = os.environ.get("REPERE_PORT", str(default.port))
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"REPERE_PORT={port}")
        settings = Settings(
            knowledge=Path(os.environ.get("REPERE_KNOWLEDGE", default.knowledge)),
            index=Path(os.environ.get("REPERE_INDEX", default.index)),
            encoder=EncoderName.from_environment(),
            reader=os.environ.get("REPERE_READER", default.reader),
            host=os.environ.get("REPERE_HOST", default.host),
            port=int(port),
            llm=_llm(os.environ.get("REPERE_LLM", default.llm)),
            llm_url=_url(os.environ.get("REPERE_LLM_URL", default.llm_url)),
            llm_deadline=_seconds(os.environ.get("REPERE_LLM_DEADLINE", str(default.llm_deadline))),
        )
        return replace(settings, **{k: v for k, v in overrides.items() if v is not None})


def _llm(text: str) -> str:
    provider, _, model = text.strip().partition(":")
    if text.strip() and not (provider in LLM_PROVIDERS and model.strip()):
        raise ValueError(f"REPERE_LLM={text}")
    return text.strip()


def _url(text: str) -> str:
    parts = urlsplit(text.strip())
    if text.strip() and not (parts.scheme in ("http", "https") and parts.hostname):
        raise ValueError("REPERE_LLM_URL")  # its value is not repeated: it may hold a password
    return text.strip()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 600:
        raise ValueError(f"REPERE_LLM_DEADLINE={text}")
    return seconds
