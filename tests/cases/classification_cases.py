"""Cases of the five tiers and of the stages: facts, the answer, and the article it rests on, by hand.

Source: 商业银行金融资产风险分类办法 (2023) and IFRS 9 as their rules stand in the pack; the texts themselves could
not be read, so a case holds our reading of the rule and no more. An empty article means that nothing holds.
"""

CURED = {"arrears_cleared": True, "months_paid_since": 6, "periods_paid_since": 2, "capacity_restored": True,
         "other_impaired_here": False}  # fmt: skip
RESTRUCTURED = {"is_restructured": True, "days_past_due": 0}
OVER = {**RESTRUCTURED, "observed_months": 12, "observed_periods": 2, "missed_in_observation": False,
        "difficulty_resolved": True}  # fmt: skip


def due(days, **more):
    return {"days_past_due": days, **more}


TIERS = [
    # overdue, to the day
    (due(0), "normal", ""),
    (due(1), "special_mention", "第十条（一）"),
    (due(7), "special_mention", "第十条（一）"),
    (due(1, is_technical_delay=True), "normal", ""),
    (due(7, is_technical_delay=True), "normal", ""),
    (due(8, is_technical_delay=True), "special_mention", "第十条（一）"),
    (due(8), "special_mention", "第十条（一）"),
    (due(30), "special_mention", "第十条（一）"),
    (due(31), "special_mention", "第十条（一）"),
    (due(90), "special_mention", "第十条（一）"),
    (due(91), "substandard", "第十一条（一）"),
    (due(91, is_technical_delay=True), "substandard", "第十一条（一）"),
    (due(270), "substandard", "第十一条（一）"),
    (due(271), "doubtful", "第十二条（一）"),
    (due(360), "doubtful", "第十二条（一）"),
    (due(361), "loss", "第十三条（一）"),
    (due(10_000), "loss", "第十三条（一）"),
    ({}, None, ""),
    # what does not wait for days
    (due(0, use_changed=True), "special_mention", "第十条（二）"),
    (due(0, repaid_by_borrowing=True), "special_mention", "第十条（三）"),
    (due(0, repaid_by_borrowing=True, is_small_firm_renewal=True), "normal", ""),
    (due(0, is_small_firm_renewal=True), "normal", ""),
    (due(0, debtor_npl_anywhere=True), "special_mention", "第十条（四）"),
    (due(0, debtor_npl_anywhere=True, is_retail=True), "normal", ""),
    (due(0, is_impaired=True, ecl_share=0.2), "substandard", "第十一条（二）"),
    (due(0, is_impaired=True, ecl_share=0.49), "substandard", "第十一条（二）"),
    (due(0, is_impaired=True, ecl_share=0.50), "doubtful", "第十二条（三）"),
    (due(0, is_impaired=True, ecl_share=0.89), "doubtful", "第十二条（三）"),
    (due(0, is_impaired=True, ecl_share=0.90), "loss", "第十三条（三）"),
    (due(0, is_impaired=False, ecl_share=0.95), "normal", ""),
    (due(0, is_impaired=True), None, "第十一条（二）"),
    (due(0, rating_cut_sharply=True), "substandard", "第十一条（三）"),
    (due(0, evades_debt=True), "doubtful", "第十二条（二）"),
    (due(0, in_liquidation=True), "loss", "第十三条（二）"),
    ({"in_liquidation": True}, "loss", "第十三条（二）"),
    ({"evades_debt": True}, None, "第十二条（二）"),
    (due(91, in_liquidation=True), "loss", "第十三条（二）"),
    # contamination
    (due(0, debtor_npl_share_here=0.10), "normal", ""),
    (due(0, debtor_npl_share_here=0.1001), "substandard", "第七条"),
    (due(0, debtor_npl_share_here=0.5, has_recognised_enhancement=True), "normal", ""),
    (due(0, debtor_npl_share_here=0.5, is_retail=True), "normal", ""),
    (due(0, debtor_npl_share_here=1.0, debtor_npl_anywhere=True), "substandard", "第七条"),
    (due(0, debtor_npl_share_here=0.05, debtor_npl_anywhere=True), "special_mention", "第十条（四）"),
    (due(0, debtor_overdue_90_share_all=0.20), "normal", ""),
    (due(0, debtor_overdue_90_share_all=0.2001), "substandard", "第十一条（四）"),
    (due(0, debtor_overdue_90_share_all=0.9, is_retail=True), "normal", ""),
    (due(300, debtor_npl_share_here=0.5), "doubtful", "第十二条（一）"),
    # getting better again
    (due(0, tier_before="special_mention"), "normal", ""),
    (due(0, tier_before="substandard", **CURED), "normal", ""),
    (due(0, tier_before="doubtful", **CURED), "normal", ""),
    (due(0, tier_before="substandard", **{**CURED, "months_paid_since": 5}), "substandard", "第十四条"),
    (due(0, tier_before="substandard", **{**CURED, "periods_paid_since": 1}), "substandard", "第十四条"),
    (due(0, tier_before="substandard", **{**CURED, "months_paid_since": 12, "periods_paid_since": 1}),
     "substandard", "第十四条"),
    (due(0, tier_before="substandard", **{**CURED, "capacity_restored": False}), "substandard", "第十四条"),
    (due(0, tier_before="substandard", **{**CURED, "other_impaired_here": True}), "substandard", "第十四条"),
    (due(0, tier_before="loss", **{**CURED, "arrears_cleared": False}), "substandard", "第十四条"),
    (due(0, tier_before="substandard"), None, "第十四条"),
    (due(3, tier_before="substandard", **CURED), "special_mention", "第十条（一）"),
    # restructured
    (RESTRUCTURED | {"observed_months": 11}, "special_mention", "第二十三条、第二十四条"),
    (OVER, "normal", ""),
    (OVER | {"observed_months": 11}, "special_mention", "第二十三条、第二十四条"),
    (OVER | {"observed_periods": 1}, "special_mention", "第二十三条、第二十四条"),
    (OVER | {"missed_in_observation": True}, "special_mention", "第二十三条、第二十四条"),
    (OVER | {"difficulty_resolved": False}, "special_mention", "第二十三条、第二十四条"),
    (RESTRUCTURED | {"observed_months": 3, "npl_before_restructuring": True, "arrears_cleared": False},
     "substandard", "第二十四条"),
    (RESTRUCTURED | {"observed_months": 7, "npl_before_restructuring": True, **CURED},
     "special_mention", "第二十三条、第二十四条"),
    (RESTRUCTURED | {"observed_months": 7, "npl_before_restructuring": True, "tier_before": "substandard", **CURED},
     "special_mention", "第二十三条、第二十四条"),
    (OVER | {"npl_before_restructuring": True}, "normal", ""),
    (RESTRUCTURED | {"observed_months": 3, "times_restructured": 1}, "special_mention", "第二十三条、第二十四条"),
    (RESTRUCTURED | {"observed_months": 3, "times_restructured": 2}, "substandard", "第二十五条"),
    (RESTRUCTURED | {"observed_months": 3, "days_past_due": 91}, "substandard", "第十一条（一）"),
    (RESTRUCTURED, None, ""),
    (OVER | {"times_restructured": 2}, "normal", ""),
]  # fmt: skip

STAGES = [
    (due(0), "stage_1", ""),
    (due(30), "stage_1", ""),
    (due(31), "stage_2", "5.5.11"),
    (due(31, thirty_days_rebutted=True), "stage_1", ""),
    (due(90), "stage_2", "5.5.11"),
    (due(91), "stage_3", "B5.5.37"),
    (due(91, ninety_days_rebutted=True), "stage_2", "5.5.11"),
    (due(0, is_impaired=True), "stage_3", "Appendix A"),
    ({"is_impaired": True}, "stage_3", "Appendix A"),
    (due(0, pd_origination=0.01, pd_now=0.0249), "stage_1", ""),
    (due(0, pd_origination=0.01, pd_now=0.025), "stage_2", "5.5.9"),
    (due(0, pd_origination=0.001, pd_now=0.004), "stage_1", ""),
    (due(0, pd_origination=0.01, pd_now=0.05, is_low_credit_risk=True), "stage_1", ""),
    (due(31, is_low_credit_risk=True), "stage_2", "5.5.11"),
    (due(0, notches_down=2), "stage_1", ""),
    (due(0, notches_down=3), "stage_2", "B5.5.17"),
    (due(0, on_watch_list=True), "stage_2", "B5.5.17"),
    (due(0, is_forborne=True), "stage_2", "B5.5.17"),
    (due(0, stage_before="stage_2", months_without_cause=2), "stage_2", "institution's policy"),
    (due(0, stage_before="stage_2", months_without_cause=3), "stage_1", ""),
    (due(0, stage_before="stage_3", months_without_cause=5), "stage_3", "institution's policy"),
    (due(0, stage_before="stage_3", months_without_cause=6), "stage_1", ""),
    (due(0, stage_before="stage_3"), "stage_3", "institution's policy"),
    ({}, None, ""),
]  # fmt: skip
