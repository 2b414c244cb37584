"""What can be wrong with the files of `data/`: one module of breaks for each kind of file."""

from dataclasses import dataclass

TABLE = "outcomes/cement_leakage.csv"
STUDIES = "studies.csv"
SOURCES = "sources.csv"
PLAN = "analyses.toml"
CONSTRAINTS = "constraints/cement_leakage.toml"
PRIORS = "priors/weakly_informative.toml"
DESCRIPTOR = "datapackage.json"


@dataclass(frozen=True)
class Break:
    """One thing that is wrong with one file: text replaced once, a line added, or another content."""

    name: str
    file: str
    words: tuple[str, ...]  # what the message must hold
    old: str | bytes = ""
    new: str | bytes = ""
    add: str = ""
    content: bytes | None = None
    missing: bool = False

    def apply(self, data):
        path = data / self.file
        if self.missing:
            path.unlink()
        elif self.content is not None:
            path.write_bytes(self.content)
        else:
            old, new = (x.encode() if isinstance(x, str) else x for x in (self.old, self.new))
            before = path.read_bytes()
            assert old in before, "the breakage no longer fits the file"
            path.write_bytes(before.replace(old, new, 1) + self.add.encode())
