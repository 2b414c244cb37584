"""An input: some files and some options for one reader, as JSON that a person can read."""

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
PROJECT = "project/"


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes
    ----------
    target : str
        Name of the reader, of `tests.fuzz.targets.TARGETS`.
    files : dict of str to bytes
        Content by name; ``project/data/analyses.toml`` stands in place of the project's own file.
    options : dict
        What else the reader is told; JSON values only.
    """

    target: str
    files: dict[str, bytes] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def put(self, sandbox: Path) -> None:
        """Write its files, into ``in`` or into the project."""
        for name, content in self.files.items():
            path = _place(sandbox, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def take_away(self, sandbox: Path) -> None:
        """Take its files away, and give the project its own back."""
        for name in self.files:
            path = _place(sandbox, name)
            if name.startswith(PROJECT) and (own := ROOT / name.removeprefix(PROJECT)).exists():
                path.write_bytes(own.read_bytes())
            else:
                path.unlink(missing_ok=True)

    def to_json(self, why: str = "") -> str:
        files = {name: _written(content) for name, content in self.files.items()}
        content = {"why": why, "target": self.target, "options": self.options, "files": files}
        return json.dumps(content, indent=1) + "\n"  # ASCII: the odd letters are to be seen

    @classmethod
    def read(cls, path: Path) -> "Case":
        content = json.loads(path.read_text(encoding="utf-8"))
        options = {key: _text(value) for key, value in content["options"].items()}
        files = {name: _bytes(value) for name, value in content["files"].items()}
        return cls(content["target"], files, options)


def kept(case: Case, why: str) -> str:
    """Write an input that broke something into the corpus, and say so."""
    text = case.to_json(why)
    path = CORPUS / f"{case.target}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
    path.write_text(text, encoding="utf-8")
    return f"{why}; written: {path}"


def _place(sandbox: Path, name: str) -> Path:
    return sandbox / name if name.startswith(PROJECT) else sandbox / "in" / name


def _written(content: bytes) -> Any:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _text(value: Any) -> Any:
    """An option as it stands, or put together of repeated pieces: {"repeat": [["ab", 3], ["c", 1]]}."""
    if isinstance(value, dict) and value.keys() == {"repeat"}:
        return "".join(piece * times for piece, times in value["repeat"])
    return [_text(each) for each in value] if isinstance(value, list) else value


def _bytes(value: Any) -> bytes:
    """A file as text, in base64, of repeated pieces, or a zip archive of such parts."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if "base64" in value:
        return base64.b64decode(value["base64"])
    if "repeat" in value:
        return _text(value).encode()
    return zipped({name: _bytes(part) for name, part in value["zip"].items()})


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip archive, the same bytes whenever it is made."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
