"""Project finance: cash flows, debt, waterfalls and returns of one project, for one case or many at once.

The one room of the domain with numpy. Arrays have time on axis 0 and scenarios on axis 1; one case is one column.

What other rooms call:

    model.Project                    the whole project as frozen values; checking.check refuses a bad one with findings
    plan.plan_financing(project)     the loans as agreed: amounts, schedules, limits, the binding one named
    run.solve(project, scenario)     one run: operation, building, tax, waterfall; checking.warnings_of(run) beside it
    measures.measures_of(run)        covers with their dates, lives, NPVs, rates of return
    statements.statements_of(run)    income, cash flow, balance sheet
    scenarios                        sensitivity, tornado, break_even; drivers.Scenario says what differs
    simulation.simulate              correlated drivers, quantiles, probabilities; the generator is passed in

Single questions: loan_schedule and rounding (a dated loan, in cents), sculpting, average_life, draws, sizing, returns,
taxes, depreciation, ratios. Plain values for pages and JSON are made by `kequn.financing.results`.
"""
