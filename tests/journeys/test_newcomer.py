"""From an empty installation to a printed report: one person and the downloaded workbook, filled in by hand."""

import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.journeys.conftest import Installation

PASSWORD = "a-long-password-of-my-own"
# number, name, province, industry, employees; revenue, total assets, total liabilities, equity, net profit in 万元
CUSTOMERS = [
    ("H001", "青石精密制造示例有限公司", "320000", "C34", 320, 42_000, 38_000, 19_000, 19_000, 2_600),
    ("H002", "南浦纺织示例有限公司", "330000", "C17", 1_400, 91_000, 88_000, 61_000, 27_000, 1_900),
    ("H003", "白鹭芯片设计示例有限公司", "310000", "I65", 180, 15_500, 22_000, 6_000, 16_000, -900),
    ("H004", "云岭水电示例有限公司", "530000", "D44", 260, 36_000, 210_000, 148_000, 62_000, 7_400),
    ("H005", "海湾港口示例有限公司", "370000", "G55", 900, 66_000, 320_000, 190_000, 130_000, 9_800),
    ("H006", "金桥建筑示例有限公司", "410000", "E47", 2_100, 158_000, 140_000, 112_000, 28_000, 3_100),
    ("H007", "丰田谷物贸易示例有限公司", "230000", "F51", 45, 71_000, 18_000, 14_500, 3_500, 260),
    ("H008", "晨星软件示例有限公司", "440000", "I65", 75, 4_800, 5_200, 1_400, 3_800, 610),
    ("H009", "北山矿业示例有限公司", "150000", "B06", 640, 83_000, 120_000, 70_000, 50_000, 5_500),
    ("H010", "和顺物业示例有限公司", "500000", "K70", 520, 9_900, 7_700, 5_100, 2_600, 330),
    ("H011", "蓝湾酒店示例有限公司", "460000", "H61", 210, 6_100, 19_500, 15_900, 3_600, -480),
    ("H012", "长河环保示例有限公司", "420000", "N77", 130, 11_700, 26_000, 15_000, 11_000, 1_150),
    ("H013", "安和医药示例有限公司", "510000", "C27", 380, 33_500, 41_000, 17_000, 24_000, 3_900),
    ("H014", "万顺汽车零部件示例有限公司", "220000", "C36", 860, 59_000, 54_000, 37_000, 17_000, 1_450),
    ("H015", "玉溪食品示例有限公司", "530000", "C14", 240, 18_200, 12_900, 6_700, 6_200, 820),
    ("H016", "天合租赁示例有限公司", "120000", "L71", 60, 8_400, 64_000, 51_000, 13_000, 1_300),
    ("H017", "沙洲风电示例有限公司", "620000", "D44", 35, 5_900, 71_000, 55_000, 16_000, 1_050),
    ("H018", "绿源农业示例有限公司", "360000", "A01", 150, 3_900, 6_800, 2_900, 3_900, 270),
    ("H019", "锦程物流示例有限公司", "340000", "G54", 430, 21_000, 16_400, 11_200, 5_200, 540),
    ("H020", "华岳机床示例有限公司", "610000", "C34", 710, 47_500, 60_000, 39_000, 21_000, -1_700),
]
WORDS = {
    "zh-CN": {"preview": "预览", "run": "启动运行", "why": "原因", "report": "报告"},
    "en-US": {"preview": "Preview", "run": "Start a run", "why": "Why", "report": "Report"},
}


def filled_in(template: Path, filled: Path) -> None:
    """The downloaded workbook with a row for each customer and its year, under the heads that stand in it."""
    book = CalamineWorkbook.from_path(template)
    with xlsxwriter.Workbook(filled) as made:
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python()
            sheet = made.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
            heads = {str(head): column for column, head in enumerate(rows[0])} if rows else {}
            for place, values in enumerate(_rows(name, heads), start=1):
                for head, value in values.items():
                    sheet.write(place, heads[head], value)


def _rows(sheet: str, heads: dict[str, int]):
    if sheet in {"客户", "Customers"}:
        number, name, province, industry, employees = (_head(heads, *both) for both in (
            ("客户编号", "Customer ID"), ("客户名称", "Customer name"), ("省级行政区划代码", "Province"),
            ("行业代码", "Industry code"), ("从业人员", "Employees"),
        ))  # fmt: skip
        for one in CUSTOMERS:
            yield {number: one[0], name: one[1], province: one[2], industry: one[3], employees: one[4]}
    if sheet in {"财务报表", "Statements"}:
        plain = [("客户编号", "Customer ID"), ("报告期末", "Period end"), ("流量涵盖月数", "Months covered"),
                 ("流量口径", "Flows"), ("合并口径", "Scope"), ("会计准则", "Accounting standard"),
                 ("营业收入", "Revenue"), ("资产总计", "Total assets"), ("负债合计", "Total liabilities"),
                 ("所有者权益合计", "Total equity"), ("净利润", "Net profit")]  # fmt: skip
        keys = [_head(heads, *both) for both in plain]
        for one in CUSTOMERS:
            fixed = (one[0], "2025-12-31", 12, "cumulative", "consolidated", "CAS")
            yield dict(zip(keys, (*fixed, *one[5:]), strict=True))


def _head(heads: dict[str, int], zh: str, en: str) -> str:
    """The head of a column in either language; that of an amount ends with its unit."""
    return next(head for head in heads if head in {zh, en} or head.startswith((f"{zh}（", f"{en} (")))


@pytest.fixture(params=[("zh-CN", 1280), ("en-US", 390)], ids=["Chinese at a desk", "English on a phone"])
def newcomer(request, browser, tmp_path):
    """A person before an empty installation: the page, the language's words, and where files go."""
    language, width = request.param
    installation = Installation(tmp_path / "home")
    command = [sys.executable, "-m", "kequn", "user", "add", "wang", "--role", "administrator"]
    said = subprocess.run(command, env=installation.env, check=True, capture_output=True, text=True).stdout
    installation.start()
    context = browser.new_context(viewport={"width": width, "height": 844}, locale=language, accept_downloads=True)
    yield context.new_page(), installation.url, said.strip().split("\t")[1], WORDS[language], tmp_path
    context.close()
    installation.stop()


def test_from_an_empty_installation_to_a_printed_report(newcomer):
    page, url, once, words, folder = newcomer
    sign_in_and_choose_a_password(page, url, once)
    bring_in_the_workbook(page, url, words, folder)
    start_a_run(page, url, words)
    find_a_segment_and_a_customer(page, url, words)
    read_why(page, words)
    print_a_report(page, words, folder)


def sign_in_and_choose_a_password(page, url, once) -> None:
    page.goto(f"{url}/")
    page.fill("#id_username", "wang")
    page.fill("#id_password", once)
    page.click("main button.btn-primary")
    page.fill("#old", once)
    page.fill("#new", PASSWORD)
    page.fill("#again", PASSWORD)
    page.click("main button.btn-primary")
    page.goto(f"{url}/customers/")
    assert page.locator(".kq-empty a").count() == 1  # the empty list says where to begin


def bring_in_the_workbook(page, url, words, folder) -> None:
    page.goto(f"{url}/imports/")
    with page.expect_download() as waiting:
        page.locator("a[href$='/imports/template/']").first.click()
    waiting.value.save_as(folder / "template.xlsx")
    filled_in(folder / "template.xlsx", folder / "filled.xlsx")
    page.set_input_files("#file", folder / "filled.xlsx")
    page.get_by_role("button", name=words["preview"]).click()
    store = page.locator("form[action$='/store/'] button")
    store.wait_for()
    assert "40" in store.inner_text()  # twenty customers and twenty statements, none refused
    store.click()
    page.wait_for_load_state()
    assert page.locator(".kq-state.good").count() >= 1


def start_a_run(page, url, words) -> None:
    page.goto(f"{url}/runs/")
    page.get_by_role("button", name=words["run"]).click()
    for _ in range(60):
        page.goto(f"{url}/runs/")
        if page.locator("tbody .kq-state.good").count():
            return
        page.wait_for_timeout(500)
    raise AssertionError("the run was not published within half a minute")


def find_a_segment_and_a_customer(page, url, words) -> None:
    page.goto(f"{url}/segments/")
    page.locator("main a[href*='/customers/?size=']").first.click()
    page.locator("table a[href^='/customers/H0']").first.click()
    assert "示例有限公司" in page.locator("h1").inner_text()


def read_why(page, words) -> None:
    address = page.url
    page.goto(f"{address}why/size/")
    assert words["why"] in page.locator("main").inner_text()
    assert "GB" in page.content() or "2017" in page.content()  # the standard that the class follows from is named
    page.goto(address)


def print_a_report(page, words, folder) -> None:
    page.locator("summary", has_text=words["report"]).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="PDF").click()
    waiting.value.save_as(folder / "report.pdf")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
