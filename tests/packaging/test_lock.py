"""What requirements.lock pins: everything that is asked for and nothing else, by hash, and as installed."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKED_EXTRAS = ("dev", "dask", "docs")  # elicit and bench are for who wants them
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
LICENCES = {  # of what users install with the package: all of them let Apache-2.0 code depend on them
    "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Apache Software License", "BSD", "BSD License",
    "BSD-2-Clause", "BSD-3-Clause", "0BSD", "CC0-1.0", "ISC License (ISCL)", "MIT", "MIT License", "MIT-CMU",
    "PSF-2.0", "Python Software Foundation License", "Zlib",
}  # fmt: skip


def entries(text):
    """Requirement and hashes of every pin."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        content = line.split("#")[0].strip()
        if content:
            requirement, *hashes = content.split(" --hash")
            found.append((Requirement(requirement), [f"--hash{each.strip()}" for each in hashes]))
    return found


def complaints(pins):
    """What is wrong with pins as such."""
    found = []
    for requirement, hashes in pins:
        exact = [each for each in requirement.specifier if each.operator == "==" and "*" not in each.version]
        if len(exact) != 1 or len(requirement.specifier) != 1 or requirement.url:
            found.append(f"{requirement}: not pinned to one version")
        if not hashes or not all(HASH.fullmatch(each) for each in hashes):
            found.append(f"{requirement}: no sha256, or something else beside it")
    return found


def asked():
    """What pyproject.toml asks for, with the extras that are locked."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in LOCKED_EXTRAS for line in extras[extra])]
    return [Requirement(line) for line in lines]


def here(requirements):
    """Those that this Python on this system needs."""
    return [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]


PINS = entries((ROOT / "requirements.lock").read_text("utf-8"))
PINNED = {
    canonicalize_name(r.name): next(iter(r.specifier)).version
    for r in here([requirement for requirement, _ in PINS])
}


def reached(requirements):
    """Names that requirements lead to, by what is installed; each with whoever asks for it, and for what."""
    found, left, done = {}, [("pyproject.toml", r, {""}) for r in requirements], set()
    while left:
        who, requirement, extras = left.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": e}) for e in extras):
            continue
        name = canonicalize_name(requirement.name)
        found.setdefault(name, []).append((who, requirement))
        if (name, frozenset(requirement.extras)) not in done:
            done.add((name, frozenset(requirement.extras)))
            lines = distribution(requirement.name).requires or []
            left += [(name, Requirement(line), {"", *requirement.extras}) for line in lines]
    return found


REACHED = reached(asked())


def test_every_pin_is_one_version_with_hashes():
    assert len(PINS) > 100 and complaints(PINS) == []


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2.2 --hash=sha256:" + 64 * "a",
        "numpy==2.* --hash=sha256:" + 64 * "a",
        "numpy==2.2",
        "numpy==2.2 --hash=md5:" + 32 * "a",
        "numpy==2.2 --hash=sha256:" + 64 * "a" + " --hash=sha256:short",
        "numpy @ https://example.org/numpy.whl --hash=sha256:" + 64 * "a",
    ],
)
def test_a_pin_that_is_none_is_caught(line):
    assert complaints(entries(line))


def test_the_lock_has_pins_and_comments_only():
    for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines():
        assert re.match(r"([A-Za-z0-9._-]+==|    --hash=sha256:|    # )", line), (
            line
        )  # no option, no index, no address


def test_a_package_is_pinned_once_for_every_python():
    names = [canonicalize_name(r.name) for r in here([requirement for requirement, _ in PINS])]
    assert len(names) == len(set(names))


def test_pins_are_within_the_bounds_of_whoever_asks():
    wrong = [
        f"{name} {PINNED.get(name, 'not pinned')}: {who} asks for {requirement}"
        for name, askers in REACHED.items()
        for who, requirement in askers
        if name not in PINNED or not requirement.specifier.contains(PINNED[name], prereleases=True)
    ]
    assert wrong == []


def test_nothing_is_pinned_that_nobody_asks_for():
    assert set(PINNED) - set(REACHED) == set()


def test_what_is_installed_is_what_is_pinned():
    def installed(name):
        try:
            return version(name)
        except PackageNotFoundError:
            return "absent"

    other = {name: (pin, installed(name)) for name, pin in PINNED.items() if not _same(installed(name), pin)}
    assert other == {}, "run make setup"


def _same(found, pin):
    return found != "absent" and Version(found) == Version(pin)


def licences(name):
    """Licences that a distribution declares: an SPDX expression, or classifiers, or a short text."""
    metadata = distribution(name).metadata
    if expression := metadata.get("License-Expression"):
        return set(re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", "")))
    classified = [line for line in metadata.get_all("Classifier", []) if line.startswith("License ::")]
    return {line.split(" :: ")[-1] for line in classified} or {metadata.get("License")}


def test_licences_of_what_users_install_are_compatible():
    needed = reached([Requirement(line) for line in PROJECT["dependencies"]])
    assert len(needed) > 40
    assert {name: found for name in needed if not (found := licences(name)) <= LICENCES} == {}
