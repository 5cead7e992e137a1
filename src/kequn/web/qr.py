"""A QR picture as one path, so that a page shows it under the strict content-security policy."""

from dataclasses import dataclass

import qrcode


@dataclass(frozen=True, slots=True)
class Picture:
    """For an <svg> of `side` by `side`; `path` fills the dark squares."""

    side: int
    path: str


def drawn(text: str) -> Picture:
    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    matrix = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark)
    return Picture(len(matrix), path)
