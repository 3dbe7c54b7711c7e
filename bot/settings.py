"""Everything that can be set, as one frozen dataclass read from the environment (REPERE_*)."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from index.encoder import EncoderName


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the documents and the index are, which encoder reads them, where the page listens."""

    knowledge: Path = Path("knowledge")
    index: Path = Path(".cache/index")
    encoder: EncoderName = field(default_factory=EncoderName)
    host: str = "127.0.0.1"
    port: int = 7860

    @staticmethod
    def from_environment(**overrides: Any) -> "Settings":
        """Read REPERE_KNOWLEDGE, _INDEX, _ENCODER, _QUERY_PREFIX, _PASSAGE_PREFIX, _HOST and _PORT.

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
            host=os.environ.get("REPERE_HOST", default.host),
            port=int(port),
        )
        return replace(settings, **{k: v for k, v in overrides.items() if v is not None})
