"""Fill an environment with links to what a wheel asks for, and with nothing else.

`python .ci/environment-of.py WHEEL SITE_PACKAGES`, run by the Python whose packages are linked.

To install a hundred packages takes minutes, to link them a second. What the wheel does not ask for, at first
or second hand, is not there: an import that the wheel forgot to declare fails, as it would for a user.
"""

import sys
from collections import defaultdict
from email.parser import HeaderParser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement


def required_by(wheel: Path) -> list[Requirement]:
    """What a wheel's own metadata asks for."""
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        message = HeaderParser().parsestr(archive.read(name).decode())
    return [Requirement(line) for line in message.get_all("Requires-Dist", [])]


def closure(asked: list[Requirement]) -> dict[str, Distribution]:
    """Distributions that these requirements lead to, by name, extras included."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    left = [(requirement, {""}) for requirement in asked]
    while left:
        requirement, extras = left.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in done:
            continue
        done.add(key)
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            sys.exit(f"{requirement} is asked for, but not installed: run make setup")
        found[installed.metadata["Name"].lower()] = installed
        left += [(Requirement(line), {"", *requirement.extras}) for line in installed.requires or []]
    return found


def link(distributions: list[Distribution], site: Path) -> None:
    """Link what these distributions installed; a folder that several share is linked file by file."""
    source = Path(distributions[0].locate_file("")).resolve()
    owners: dict[str, set[int]] = defaultdict(set)
    for number, one in enumerate(distributions):
        for file in one.files or []:
            owners[file.parts[0]].add(number)
    for top in owners:
        if top in ("..", "__pycache__"):  # scripts, and what Python makes by itself
            continue
        if len(owners[top]) == 1:
            (site / top).symlink_to(source / top)
            continue
        for number in owners[top]:
            for file in distributions[number].files or []:
                if file.parts[0] == top and "__pycache__" not in file.parts:
                    (site / file).parent.mkdir(parents=True, exist_ok=True)
                    (site / file).symlink_to(source / file)


def main(wheel: str, site: str) -> None:
    found = closure(required_by(Path(wheel)))
    link(list(found.values()), Path(site))
    print(f"{Path(wheel).name} asks for {len(found)} packages, at first and second hand")


if __name__ == "__main__":
    main(*sys.argv[1:])
