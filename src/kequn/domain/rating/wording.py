"""A step of a rating in words of both languages: what was read, what it did to the grade."""

from collections.abc import Container

from kequn.domain.errors import Text
from kequn.domain.rating.composing import Rated, Scheme, Step

LABELS = {
    "model": Text("适用模型", "Model"),
    "score": Text("综合得分", "Score"),
    "grade": Text("模型等级", "Grade of the model"),
    "default": Text("违约", "Default"),
    "group": Text("集团支持", "Support of the group"),
    "guarantor": Text("担保人支持", "Support of the guarantor"),
    "ceiling": Text("国家上限", "Ceiling of the country"),
    "warning": Text("预警上限", "Cap by signals"),
    "override": Text("人工调整", "Override"),
}
LEVELS = {
    "none": Text("无预警信号", "no signal stands"),
    "unknown": Text("已知的预警信号均未触发，部分信号无法判断", "of the signals that can be told none stands"),
    "blue": Text("蓝色信号", "a blue signal stands"),
    "yellow": Text("黄色信号", "a yellow signal stands"),
    "orange": Text("橙色信号", "an orange signal stands"),
    "red": Text("红色信号", "a red signal stands"),
}
NOT_KNOWN = Text("未知", "not known")
OUT_OF_SCOPE = Text("您范围之外的客户", "a customer outside your scope")


def words_of(scheme: Scheme, rated: Rated, step: Step, hidden: Container[str] = ()) -> Text:
    """What one step says. `hidden` names the grades of supporters that the reader may not see."""
    if step.key == "model":
        return scheme.refusal if rated.model is None else _model(scheme, rated.model)
    if step.key == "score":
        return _score(scheme, rated)
    if step.key == "grade":
        pd = step.inputs["pd"]
        return Text(
            f"得分对应违约概率 {pd:.2%}，模型等级 {step.after}", f"the score means a PD of {pd:.2%}: {step.after}"
        )
    if step.key == "default":
        return Text("客户已违约，等级为违约级", "the customer is in default and graded so")
    said = {"group": _group, "guarantor": _guarantor, "ceiling": _ceiling, "warning": _warning}.get(step.key)
    found = said(step) if said is not None else _override(step)
    return _with_move(scheme, _masked(step, hidden) or found, step)


def _masked(step: Step, hidden: Container[str]) -> Text | None:
    """What is said in place of a supporter's grade that the reader may not see; None where nothing is hidden."""
    who = {
        "group": ("parent_grade", "母公司", "the parent"),
        "guarantor": ("guarantor_grade", "担保人", "the guarantor"),
    }
    name, zh, en = who.get(step.key, ("", "", ""))
    if name not in hidden or step.inputs.get(name) is None:
        return None
    return Text(f"{zh}：{OUT_OF_SCOPE.zh}", f"{en} is {OUT_OF_SCOPE.en}")


def _model(scheme: Scheme, name: str) -> Text:
    model = scheme.models[name]
    return Text(f"{model.label.zh}：{model.why.zh}", f"{model.label.en}: {model.why.en}")


def _score(scheme: Scheme, rated: Rated) -> Text:
    parts = {part.module.name: part for part in scheme.models[str(rated.model)].parts}
    known = [one for one in rated.modules if one.score is not None]
    zh = "，".join(f"{parts[one.name].module.label.zh} {one.score:.1f}×{one.weight:.0%}" for one in known)
    en = ", ".join(f"{parts[one.name].module.label.en} {one.score:.1f} × {one.weight:.0%}" for one in known)
    lost = [parts[name] for name in rated.missing]
    if lost:
        names = [f"{one.module.label.zh}{'（必需）' if one.required else ''}" for one in lost]
        named = [f"{one.module.label.en}{' (required)' if one.required else ''}" for one in lost]
        zh = "；".join(filter(None, (zh, "资料不足的模块：" + "、".join(names))))
        en = "; ".join(filter(None, (en, "too little known of: " + ", ".join(named))))
    if rated.score is None:
        return Text(f"无法得出得分：{zh}", f"no score can be told: {en}")
    return Text(f"{zh}；已知模块加权得 {rated.score:.1f}", f"{en}; weighted over what is known: {rated.score:.1f}")


def _group(step: Step) -> Text:
    parent = step.inputs["parent_grade"]
    values = list(step.inputs.values())
    if values[2] == 1:
        return Text("集团内有违约", "there is a default within the group")
    if parent is None:
        return Text("没有母公司等级", "no grade of a parent is known")
    mark = NOT_KNOWN if values[1] is None else Text(f"{values[1]:g}", f"{values[1]:g}")
    return Text(
        f"母公司等级 {parent}，股东支持评价 {mark.zh}", f"parent graded {parent}, mark of its support {mark.en}"
    )


def _guarantor(step: Step) -> Text:
    grade, share, default = step.inputs.values()
    if grade is None:
        return Text("没有担保人等级", "no grade of a guarantor is known")
    if default == 1:
        return Text("担保人违约", "the guarantor is in default")
    covered = NOT_KNOWN if share is None else Text(f"{share:.0%}", f"{share:.0%}")
    return Text(f"担保人等级 {grade}，担保覆盖 {covered.zh}", f"guarantor graded {grade}, covering {covered.en}")


def _ceiling(step: Step) -> Text:
    limit = step.inputs["ceiling"]
    if step.inputs["geography"] == "international" and step.inputs["income_group"] is None:
        zh, en = "境外，所在国收入分组未知", "abroad, and the income group of its country is not known"
        if limit is None:
            return Text(f"{zh}，无法确定上限", f"{en}, and no ceiling with it")
        return Text(f"{zh}，按审慎上限 {limit}", f"{en}: a careful ceiling of {limit}")
    if limit is None:
        return Text("所在地未知，无法确定上限", "the place is not known, and no ceiling with it")
    return Text(f"所在地的等级上限 {limit}", f"the ceiling of its place is {limit}")


def _warning(step: Step) -> Text:
    level, cap = step.inputs["warning_level"], step.inputs["cap"]
    said = LEVELS.get(str(level), NOT_KNOWN)
    if cap is None:
        return said
    return Text(f"{said.zh}，等级不优于 {cap}", f"{said.en}: no better than {cap}")


def _override(step: Step) -> Text:
    notches = step.inputs["notches"]
    return Text(f"人工调整 {notches:+d} 级", f"an override of {notches:+d} notches")


def _with_move(scheme: Scheme, said: Text, step: Step) -> Text:
    if step.before == step.after or step.before is None or step.after is None:
        return Text(f"{said.zh}；等级不变（{step.after}）", f"{said.en}; the grade stays {step.after}")
    moved = scheme.scale.place(step.before) - scheme.scale.place(step.after)
    zh, en = ("上调", "up") if moved > 0 else ("下调", "down")
    return Text(
        f"{said.zh}；{zh} {abs(moved)} 级至 {step.after}",
        f"{said.en}; {en} {abs(moved)} notch{'es' if abs(moved) > 1 else ''} to {step.after}",
    )
