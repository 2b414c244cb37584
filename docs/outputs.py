"""Make anew what the pages show as printed: `python docs/outputs.py [PAGE or SCRIPT ...]`.

Without an argument: all of them. What the scripts print goes to ``docs/how-to/output``; what code blocks
print goes into the pages, where a shown output is not what came. Read the difference before you keep it.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from code_blocks import PAGES, ROOT, Session, Wrong, run_page

from kyphobayes.files import write

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
OUTPUT = ROOT / "docs" / "how-to" / "output"


def printed(script: Path) -> str:
    """Run a script and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    ran = subprocess.run(
        [sys.executable, str(script)],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return "\n".join(line.rstrip() for line in ran.stdout.splitlines()) + "\n"


def renewed(page: str, wrong: list[Wrong]) -> str:
    """Put what came in the place of what is shown."""
    for one in sorted(wrong, key=lambda one: one.span[0], reverse=True):
        found = "\n".join(line.rstrip() for line in one.found.strip("\n").splitlines())
        page = page[: one.span[0]] + found + "\n" + page[one.span[1] :]
    return page


def main(wanted: list[str]) -> None:
    """Renew outputs."""
    for script in SCRIPTS:
        if not wanted or script.stem in wanted:
            write(OUTPUT / f"{script.stem}.txt", printed(script))
    for path in PAGES:
        if not wanted or path.stem in wanted:
            page = path.read_text("utf-8")
            with tempfile.TemporaryDirectory() as folder:
                wrong = run_page(page, Session(Path(folder)))
            if wrong:
                write(path, renewed(page, wrong))
                print(f"{path.relative_to(ROOT)}: {len(wrong)} renewed")


if __name__ == "__main__":
    main(sys.argv[1:])
