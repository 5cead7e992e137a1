"""Every request has an id: the caller's own where it is a plain one, else a new one. It stands in every log line of
the request and in the answer, so that a person can name what went wrong.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from kequn.config.logs import request_id

HEADER = "X-Request-ID"
PLAIN = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = ("/health/", "/metrics", "/static/")
log = logging.getLogger("kequn.request")


class RequestId:
    """Middleware, the outermost: gives the id, writes one line about the request when it is answered.

    The line says the path and never the parameters, which may hold names of customers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        mine = given if PLAIN.fullmatch(given) else secrets.token_hex(8)
        mark, started = request_id.set(mine), time.perf_counter()
        try:
            answer = self.get_response(request)
            answer[HEADER] = mine
            if not request.path.startswith(QUIET):
                spent = round((time.perf_counter() - started) * 1000, 1)
                said = {"method": request.method, "path": request.path, "status": answer.status_code}
                person = getattr(getattr(request, "user", None), "username", "")
                log.info("request", extra={**said, "milliseconds": spent, "person": person})
            return answer
        finally:
            request_id.reset(mark)
