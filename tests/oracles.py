"""Programs that check ours: LibreOffice, as a second opinion on every live figure."""

import shutil
import subprocess

import pytest

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
needs_libreoffice = pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed; it is the second oracle")

# Without this LibreOffice trusts the values that a file brings along.
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode"><value>0</value></prop>
</item>
</oor:items>
"""


def converted_by_libreoffice(path, folder, target):
    """The file converted, in a private profile that recalculates everything."""
    return _converted([path], folder, target)[0]


def _converted(paths, folder, target):
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    out = folder / "out"
    subprocess.run(
        [
            SOFFICE,
            f"-env:UserInstallation=file://{profile}",
            "--headless",
            "--convert-to",
            target,
            "--outdir",
            out,
            *paths,
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return [out / f"{path.stem}.{target.split(':')[0]}" for path in paths]


def recalculated_by_libreoffice(path, folder):
    return converted_by_libreoffice(path, folder, "xlsx")


def all_recalculated_by_libreoffice(paths, folder):
    """Files of different names, in one go."""
    return _converted(paths, folder, "xlsx")
