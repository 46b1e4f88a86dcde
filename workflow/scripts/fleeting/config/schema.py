"""The config's JSON schema, for editors: completion, descriptions and errors while typing."""

import json
from pathlib import Path
from typing import Any

from fleeting.config.models import Config
from fleeting.files import write_text


def run(*, output: Path) -> None:
    """Write the schema that `config.yaml` and the files in `config/` name in their first line."""
    write_text(text(), output)


def text() -> str:
    """The schema, made from the models of all blocks and all variants."""
    schema: dict[str, Any] = Config.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
