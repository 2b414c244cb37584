"""Refuse files that do not belong in the repository; `python .ci/check-files.py FILE...`.

Large files, package-registry hosts, paths of somebody's machine, trailing whitespace, a missing last newline.
"""

import re
import sys
from pathlib import Path

LIMIT = 2_000_000  # bytes

# Put together from pieces, so that this file passes its own check.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
]
FOLDERS = "home|root|Users|Volumes|work|workspace|workspaces|mnt"

FORBIDDEN = {
    "names a package-registry host": re.compile("|".join(rf"\b{re.escape(host)}\b" for host in HOSTS), re.I),
    "names a package index": re.compile(
        r"(?:index-url|find-links|trusted-host|registry)[ \t]*[= ][ \t]*\S+://"
    ),
    "names a path of one machine": re.compile(rf"(?<![\w.~$\-}})/*])/(?:{FOLDERS})/\w|\b[A-Z]:\\+Users\b"),
    "has trailing whitespace": re.compile(r"[ \t]$"),
    "ends its line the Windows way": re.compile(r"\r$"),
}


def complaints(path: Path) -> list[str]:
    """What is wrong with one file, as `path:line: reason`."""
    content = path.read_bytes()
    if len(content) > LIMIT:
        return [f"{path}: is larger than {LIMIT / 1e6:g} MB"]
    if b"\0" in content:
        return []  # not text
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return [f"{path}: is neither UTF-8 nor binary"]
    found = [
        f"{path}:{number}: {reason}"
        for number, line in enumerate(text.split("\n"), start=1)
        for reason, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        found.append(f"{path}: must end with exactly one newline")
    return found


def main(names: list[str]) -> int:
    files = [path for path in map(Path, names) if path.is_file() and not path.is_symlink()]
    found = [line for path in files for line in complaints(path)]
    print("\n".join(found), end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
