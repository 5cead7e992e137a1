"""Typst with our own fonts and templates, one compiler a template: reading the fonts takes longer than a page."""

from functools import lru_cache
from pathlib import Path

import typst

from kequn.domain.errors import KequnError, Text

TEMPLATES = Path(__file__).parent / "typst"
FONT_PACKAGE = "@expo-google-fonts/noto-sans-sc"
FONT_FOLDERS = ("400Regular", "500Medium", "700Bold")


@lru_cache(maxsize=8)
def compiler(template: str, frontend: Path) -> typst.Compiler:
    """The compiler of one template. `frontend` is the folder of the front-end packages, the font among them.

    The fonts of the machine are not read, so that a report looks the same everywhere. Raises KequnError where set-up
    has not fetched the font.
    """
    folders = [frontend / FONT_PACKAGE / one for one in FONT_FOLDERS]
    missing = ", ".join(one.name for one in folders if not one.is_dir())
    if missing:
        raise KequnError(
            Text(
                f"缺少报告字体（{missing}）；请运行 python3 dev.py demo --no-serve 取回前端文件",
                f"the fonts of reports are missing ({missing}); run python3 dev.py demo --no-serve to fetch them",
            )
        )
    return typst.Compiler(
        str(TEMPLATES / template),
        root=str(TEMPLATES),
        font_paths=[str(one) for one in folders],
        ignore_system_fonts=True,
    )
