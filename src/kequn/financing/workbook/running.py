"""The sheet of operation up to cash before tax: income, costs, maintenance, working capital, VAT, depreciation."""

from collections.abc import Iterable

from kequn.domain.projectfinance.depreciation import depreciation_shares
from kequn.domain.projectfinance.drivers import DRIVERS
from kequn.domain.projectfinance.model import Cost, Revenue
from kequn.domain.projectfinance.run import Run
from kequn.financing.workbook.sheet import Book, Sheet

_ON_CONSTRUCTION = ("capex", "rate")


class Drivers:
    """The drivers of the scenario as inputs that a reader may change."""

    def __init__(self, book: Book, run: Run) -> None:
        self.book, self.run = book, run
        self.places = {
            one.name: book.value(one.name, f"{one.label.en} {one.label.zh}", float(run.scenario.value(one.name)))
            for one in DRIVERS.values()
            if one.name not in _ON_CONSTRUCTION
        }

    def of_line(self, kind: str, name: str) -> str:
        """The driver of one line; nothing where the scenario does not speak of it."""
        key = f"{kind}.{name}"
        if key not in self.run.scenario.changes:
            return "1"
        if key not in self.places:
            self.places[key] = self.book.value(key, f"{key}, factor 倍数", float(self.run.scenario.value(key)))
        return self.places[key]


def operation(book: Book, run: Run) -> Sheet:
    """Rows of operation, as `domain.projectfinance.operation` works them out."""
    line = run.project.timeline
    sheet = book.sheet("Operation", line.periods)
    step = book.value("step", "Months in a period of operation 运营期每期月数", line.step)
    built = book.value("construction_months", "Months of construction 建设期月数", line.construction_months)
    drivers = Drivers(book, run)
    sheet.heading("Time 时间")
    sheet.formula("period", "Period 期", "{period<}+1", 0.0)
    sheet.formula("month", "Month of its end 期末月", f"{built}+{{period}}*{step}")
    sheet.formula("year", "Year of operation from 0 运营年", f"INT(({{period}}-1)*{step}/12)")
    sheet.numbers("tax_year", "Tax year 纳税年度", [float(one) for one in line.tax_years()], 0.0)
    sheet.formula("year_end", "Year ends 年末", "IF({tax_year}={tax_year>},0,1)", 1.0)
    sheet.formula("running", "Share of the period that runs 运行比例",
                  f"MAX(0,MIN(1,({{period}}*{step}-MAX(0,{drivers.places['delay_months']}))/{step}))")  # fmt: skip
    sheet.heading("Income 收入")
    for place, one in enumerate(run.project.revenues):
        _revenue(book, sheet, drivers, place, one, step, line.per_year)
    sold = [k for k, one in enumerate(run.project.revenues) if not one.is_subsidy]
    given = [k for k, one in enumerate(run.project.revenues) if one.is_subsidy and one.is_confirmed]
    sheet.formula("revenue", "Revenue 营业收入", _sum("revenue", sold))
    sheet.formula("subsidies", "Subsidies 补助", _sum("revenue", given))
    sheet.heading("Costs 成本")
    for place, cost in enumerate(run.project.costs):
        _cost(book, sheet, drivers, place, cost, step, line.per_year)
    sheet.formula("costs", "Operating costs 运营成本", _sum("cost", range(len(run.project.costs))))
    sheet.formula("ebitda", "EBITDA 息税折旧前利润", "{revenue}+{subsidies}-{costs}")
    _maintenance(book, sheet, drivers, run)
    _working_capital(book, sheet, drivers, run)
    _vat(book, sheet, run, step)
    _depreciation(book, sheet, run)
    sheet.formula("before_tax", "Cash before tax 税前现金流", "{ebitda}-{working_capital}-{maintenance}-{vat_interest}")
    return sheet


def _sum(name: str, places: Iterable[int]) -> str:
    return "+".join(f"{{{name}_{k}}}" for k in places) or "0"


def _in_force(from_year: str, until_year: str, step: str) -> str:
    start = f"({{period}}-1)*{step}/12"
    return f"MAX(0,MIN(1,(MIN({start}+{step}/12,{until_year})-MAX({start},{from_year}))*12/{step}))"


def _by_year(places: str) -> str:
    return f"IF({{year}}<COLUMNS({places}),INDEX({places},1,{{year}}+1),0)"


def _revenue(book: Book, sheet: Sheet, drivers: Drivers, place: int, one: Revenue, step: str, per_year: int) -> None:
    name = f"revenue_{place}"
    season = book.listed(
        f"{name}_season", f"{one.name}: season 季节比例", list(one.season or (1.0 / per_year,) * per_year)
    )
    years = [book.value(f"{name}_{key}", f"{one.name}: {key} year", value)
             for key, value in (("from", one.from_year), ("until", one.until_year))]  # fmt: skip
    held = f"INDEX({season},1,MOD({{period}}-1,{per_year})+1)*{_in_force(years[0], years[1], step)}"
    factor = "*".join(
        (drivers.places["price"], drivers.places["volume"], drivers.of_line("price", one.name),
         drivers.of_line("volume", one.name))
    )  # fmt: skip
    if one.amounts:
        amounts = book.listed(f"{name}_amounts", f"{one.name}: amounts by year 逐年金额", list(one.amounts))
        yearly = _by_year(amounts) + ("" if one.is_subsidy else f"*{factor}")
    else:
        given = {key: book.value(f"{name}_{key}", f"{one.name}: {key}", getattr(one, key))
                 for key in ("volume", "price", "growth", "indexation")}  # fmt: skip
        ramp = book.listed(f"{name}_ramp", f"{one.name}: ramp 爬坡", list(one.ramp or (1.0,)))
        yearly = (
            f"{given['volume']}*{given['price']}*{factor}*(1+{given['growth']}+{drivers.places['volume_growth']})^{{year}}"
            f"*(1+{given['indexation']}+{drivers.places['indexation']})^{{year}}"
            f"*IF({{year}}<COLUMNS({ramp}),INDEX({ramp},1,{{year}}+1),1)*MAX(0,1-{drivers.places['curtailment']})"
        )
    sheet.formula(name, one.name, f"{yearly}*{held}" + ("" if one.is_subsidy else "*{running}"))


def _cost(book: Book, sheet: Sheet, drivers: Drivers, place: int, one: Cost, step: str, per_year: int) -> None:
    name = f"cost_{place}"
    years = [book.value(f"{name}_{key}", f"{one.name}: {key} year", value)
             for key, value in (("from", one.from_year), ("until", one.until_year))]  # fmt: skip
    factor = f"{drivers.places['opex']}*{drivers.of_line('cost', one.name)}"
    if one.amounts:
        yearly = _by_year(book.listed(f"{name}_amounts", f"{one.name}: amounts by year 逐年金额", list(one.amounts)))
    else:
        amount = book.value(f"{name}_amount", f"{one.name}: amount a year 年金额", one.amount)
        rise = book.value(f"{name}_indexation", f"{one.name}: indexation 年涨价率", one.indexation)
        yearly = f"{amount}*(1+{rise}+{drivers.places['indexation']})^{{year}}"
    share = book.value(f"{name}_share", f"{one.name}: share of revenue 占收入比例", one.share_of_revenue)
    held = _in_force(years[0], years[1], step)
    sheet.formula(name, one.name, f"({yearly}/{per_year}+{{revenue}}*{share})*{factor}*{held}")


def _maintenance(book: Book, sheet: Sheet, drivers: Drivers, run: Run) -> None:
    line = run.project.timeline
    targets = []
    sheet.heading("Major maintenance 大修")
    for place, one in enumerate(run.project.maintenance):
        amount = book.value(f"overhaul_{place}", f"{one.name}: amount 金额", one.amount)
        rise = book.value(f"overhaul_rise_{place}", f"{one.name}: indexation 年涨价率", one.indexation)
        flags = [1.0 if year in one.years else 0.0 for year in range(int(line.years_of_operation()[-1]) + 1)]
        years = book.listed(f"overhaul_years_{place}", f"{one.name}: years 年份", flags)
        sheet.formula(
            f"overhaul_{place}", one.name,
            f"IF(MOD({{period}},{line.per_year})=0,INDEX({years},1,{{year}}+1)*{amount}"
            f"*(1+{rise}+{drivers.places['indexation']})^{{year}}*{drivers.places['maintenance']},0)",
        )  # fmt: skip
        saved = one.saved_years * line.per_year
        if one.saved_years:
            targets.append(place)
            weights = [1.0 - ahead / saved for ahead in range(saved)]
            listed = book.listed(f"overhaul_weights_{place}", f"{one.name}: saved ahead 预存比例", [0.0, *weights[1:]])
            sheet.formula(
                f"target_{place}",
                f"{one.name}: reserve wanted 应存",
                f"SUMPRODUCT({listed},{{overhaul_{place}:{saved}}})",
            )
    sheet.formula("maintenance", "Major maintenance 大修支出", _sum("overhaul", range(len(run.project.maintenance))))
    sheet.formula("mra_target", "MRA wanted 大修准备金应有", _sum("target", targets))


def _working_capital(book: Book, sheet: Sheet, drivers: Drivers, run: Run) -> None:
    days, line = run.project.working_capital, run.project.timeline
    receivable = book.value("receivable", "Days of receivables 应收天数", days.receivable_days)
    payable = book.value("payable", "Days of payables 应付天数", days.payable_days)
    last = f"IF({{period}}={line.periods},0,1)"
    more = drivers.places["receivable_days"]
    sheet.heading("Working capital and VAT 营运资金与增值税")
    sheet.formula(
        "receivables", "Receivables 应收", f"{last}*{{revenue}}*{line.per_year}*MAX(0,{receivable}+{more})/365", 0.0
    )
    sheet.formula("payables", "Payables 应付", f"{last}*{{costs}}*{line.per_year}*{payable}/365", 0.0)
    sheet.formula("working_capital", "Taken by working capital 营运资金占用",
                  "({receivables}-{payables})-({receivables<}-{payables<})")  # fmt: skip


def _vat(book: Book, sheet: Sheet, run: Run, step: str) -> None:
    project = run.project
    charged = "+".join(
        f"{{revenue_{k}}}*{book.value(f'revenue_vat_{k}', f'{one.name}: VAT 增值税率', one.vat_rate)}"
        for k, one in enumerate(project.revenues) if not one.is_subsidy
    )  # fmt: skip
    borne = "".join(
        f"-{{cost_{k}}}*{book.value(f'cost_vat_{k}', f'{one.name}: VAT 增值税率', one.vat_rate)}"
        for k, one in enumerate(project.costs)
    )
    sheet.formula("vat_net", "VAT owed before the credit 抵扣前应纳税额", f"MAX(0,{charged or '0'}{borne})")
    paid = book.sheets["Construction"].whole("vat_paid").split(":")[1]
    sheet.formula("vat_credit", "VAT credit left 留抵税额", "MAX(0,{vat_credit<}-{vat_net})", f"Construction!{paid}")
    rates = [book.place_of(name) for name in ("vat_facility_rate", "rate")]
    sheet.formula(
        "vat_interest", "Interest of the VAT facility 过桥利息", f"{{vat_credit<}}*({rates[0]}+{rates[1]})*{step}/12"
    )


def _depreciation(book: Book, sheet: Sheet, run: Run) -> None:
    """Depreciation of all uses but the reserve, with the accrued interest of the owners' loan, shared by amount."""
    project, line = run.project, run.project.timeline
    total = sum(one.amount for one in project.capital)
    shares = [0.0] * line.periods
    for one in project.capital:
        own = depreciation_shares(one.depreciation, one.life_years, line.periods, line.per_year, salvage=one.salvage)
        shares = [before + float(share) * one.amount / total for before, share in zip(shares, own, strict=True)]
    sheet.heading("Depreciation 折旧")
    sheet.numbers("depreciation_share", "Share of cost by method and life 按方法与年限的比例", shares)
    built = book.sheets["Construction"]
    juniors = "".join(f"+SUM(Construction!{built.whole(name)})" for name in built.rows if name.startswith("interest_"))
    lent = f"Construction!{built.whole('owners_loan').split(':')[1]}"
    share = book.place_of("owners_loan_share")
    sheet.formula(
        "asset_cost", "Cost of the assets 资产原值",
        f"SUM(Construction!{built.whole('uses')})-SUM(Construction!{built.whole('to_reserve')}){juniors}"
        f"+{lent}-SUM(Construction!{built.whole('owners')})*{share}",
    )  # fmt: skip
    sheet.formula("depreciation", "Depreciation 折旧", "{asset_cost}*{depreciation_share}")
