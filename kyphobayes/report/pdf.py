"""The page as PDF, printed by a browser that is at hand."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from kyphobayes.errors import InputError
from kyphobayes.files import write

# Names under which Chromium and Chrome are installed.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_LONGEST = 300  # seconds


def find_browser() -> str | None:
    """Path of a browser that can print without a screen; None where none is found."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def write_pdf(page: Path, target: Path) -> Path:
    """Print a page as PDF with page numbers.

    Parameters
    ----------
    page, target : Path

    Returns
    -------
    Path
        The target.

    Raises
    ------
    InputError
        If there is no browser, or it does not print; the page stays as it is.
    """
    browser = find_browser()
    if browser is None:
        raise InputError(
            f"report.pdf: no browser found to print it with; looked for {', '.join(BROWSERS)}. The page "
            f"{page} is written; install Chromium or Chrome, or print the page by hand"
        )
    with TemporaryDirectory() as folder:
        printed = Path(folder) / "report.pdf"
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", f"--user-data-dir={folder}/profile", "--no-pdf-header-footer",
            f"--print-to-pdf={printed}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
            told = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        except (OSError, subprocess.TimeoutExpired) as problem:
            told = [str(problem)]
        if not printed.is_file():
            raise InputError(
                f"report.pdf: {browser} did not print it ({told[0]}); the page {page} is written"
            )
        write(target, printed.read_bytes())
    return target
