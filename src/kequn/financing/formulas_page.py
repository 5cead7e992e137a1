"""The page `docs/project-finance-formulas.md`: every public formula of the rooms, as its docstring says it.

python -m kequn.financing.formulas_page > docs/project-finance-formulas.md
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from kequn.domain import projectfinance, structuring

INTRODUCTION = """# Formulas of project finance · 项目融资公式

This page is written from the docstrings of `kequn.domain.projectfinance` and `kequn.domain.structuring`; a test holds
it to them. Write it again with `python -m kequn.financing.formulas_page > docs/project-finance-formulas.md`.

本页由代码中的说明生成；每个公式含含义、单位、形状、出处与限制，所列算例随测试运行。政策数字不在代码里，见
[公式与来源](formulas.md)的标准表 `project_finance.csv`、`lpr.csv`、`holidays.csv`。

Conventions: amounts in one currency and unit, inflows positive, at the ends of periods; rates are fractions; an array
has time on its first axis and scenarios on the second.
"""


def render() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION]
    for room in (projectfinance, structuring):
        for found in sorted(one.name for one in pkgutil.iter_modules(room.__path__)):
            parts += _of_module(importlib.import_module(f"{room.__name__}.{found}"))
    return "\n".join(parts) + "\n"


def _of_module(module: ModuleType) -> Iterator[str]:
    functions = [
        function
        for name, function in vars(module).items()
        if inspect.isfunction(function) and not name.startswith("_") and function.__module__ == module.__name__
    ]
    if not functions:
        return
    yield f"## {module.__name__.split('.')[-2]}: {module.__name__.split('.')[-1].replace('_', ' ')}\n"
    yield (inspect.getdoc(module) or "") + "\n"
    for function in functions:
        names = ", ".join(inspect.signature(function).parameters)
        yield f"### `{function.__name__}({names})`\n"
        yield f"```text\n{inspect.getdoc(function) or ''}\n```\n"


if __name__ == "__main__":
    print(render(), end="")
