"""Every value of a closed list is said in both languages."""

from datetime import date

from kequn.policy import load_pack
from kequn.policy.standards import lookup_facts
from kequn.policy.words import words_of

SAID_ELSEWHERE = {"months"}  # numbers need no words


def test_every_choice_of_facts_sheets_and_findings_has_words():
    pack = load_pack("cn")
    words = words_of(pack)
    lists = [(fact.name, fact.choices) for fact in (*pack.vocabulary, *lookup_facts())]
    lists += [(item.name, item.choices) for item in pack.items(date(2026, 9, 30))]
    lists += [(key.name, key.choices) for sheet in pack.dictionary.sheets for key in sheet.keys]
    wanting = [(name, value) for name, values in lists for value in values if not words.knows(name, value)]
    assert [pair for pair in wanting if pair[0] not in SAID_ELSEWHERE] == []
