"""Names and credit codes that nobody bears: every name says 示例, every code has a correct check digit."""

import numpy as np
from numpy.typing import NDArray

PLACES = ("云岫", "青禾", "蓝屿", "星垂", "白泽", "听澜", "望舒", "明湖", "归雁", "若水", "长风", "惊蛰", "谷雨",
          "南笙", "北辰")  # fmt: skip
WORDS = ("恒", "启", "盛", "合", "远", "诚", "泰", "新", "瑞", "达", "宏", "嘉", "永", "信", "和")
TAILS = ("元", "川", "光", "禾", "石", "舟", "林", "舰", "弘", "畅", "域", "图", "桥", "翼", "泽")
TRADES = {
    "A": "农业", "B": "矿业", "C": "制造", "D": "能源", "E": "建设", "F": "商贸", "G": "物流", "H": "餐旅", "I": "科技",
    "J": "金融服务", "K": "置业", "L": "商务", "M": "研究", "N": "环境", "O": "服务", "P": "教育", "Q": "健康",
    "R": "文化",
}  # fmt: skip
CODE_LETTERS = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
CODE_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
BODY_LETTERS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])


def company_names(numbers: NDArray[np.int64], sections: NDArray[np.str_]) -> tuple[list[str], list[str]]:
    """Full names and short names; the number makes each full name unique."""
    full, short = [], []
    for number, section in zip(numbers.tolist(), sections.tolist(), strict=True):
        mixed = number * 1877  # coprime to 15 x 15 x 15, so that neighbours do not sound alike
        place = PLACES[mixed % 15]
        word = WORDS[mixed // 15 % 15] + TAILS[mixed // 225 % 15]
        full.append(f"{place}{word}{TRADES[section]}示例{number:06d}号有限公司")
        short.append(f"{place}{word}")
    return full, short


def credit_codes(numbers: NDArray[np.int64], provinces: NDArray[np.str_]) -> list[str]:
    """Unified social credit codes (GB 32100-2015): 91, region, organisation body with its digit (GB 11714), digit.

    Bodies start with XX, which no registrar has given out.
    """
    count = len(numbers)
    serial = np.array([[int(digit) for digit in f"{number:06d}"[-6:]] for number in numbers.tolist()])
    body = np.concatenate([np.full((count, 2), BODY_LETTERS.tolist().index("X")), serial], axis=1)
    remainder = (11 - body @ BODY_WEIGHTS % 11) % 11
    digit = np.where(remainder == 10, "X", remainder.astype(str))
    heads = [f"91{province}"[:8] for province in provinces.tolist()]
    letters = {letter: place for place, letter in enumerate(CODE_LETTERS.tolist())}
    made = []
    for head, row, check in zip(heads, body, digit.tolist(), strict=True):
        code = head + "".join(BODY_LETTERS[row]) + check
        total = sum(letters[letter] * int(weight) for letter, weight in zip(code, CODE_WEIGHTS, strict=True))
        made.append(code + str(CODE_LETTERS[(31 - total % 31) % 31]))
    return made
