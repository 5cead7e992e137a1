"""The unified social credit code: eighteen characters, the last of which checks the others (GB 32100-2015)."""

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_WEIGHTS = tuple(3**place % 31 for place in range(17))


def check_character(first_seventeen: str) -> str:
    """The eighteenth character: 31 minus the weighted sum of the others modulo 31.

    Source: GB 32100-2015, clause on the check character; weights are 3^(i-1) mod 31.

    >>> check_character("91350100M000100Y4")
    '3'
    """
    total = sum(_VALUE[letter] * weight for letter, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _ALPHABET[(31 - total % 31) % 31]


def is_valid_uscc(text: str) -> bool:
    """Whether a text is a code whose check character agrees.

    >>> is_valid_uscc("91350100M000100Y43"), is_valid_uscc("91350100M000100Y44")
    (True, False)
    """
    if len(text) != 18 or any(letter not in _VALUE for letter in text):
        return False
    return check_character(text[:17]) == text[17]
