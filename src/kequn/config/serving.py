"""How gunicorn serves the pages.

Few threads in a process: they share one interpreter, and a page that only computes holds the others up.
"""

from typing import Any

threads = 2
graceful_timeout = 10
control_socket_disable = True


def post_worker_init(_worker: Any) -> None:
    """Read the policy before the first request, so that nobody waits for it and no two threads read it at once."""
    from kequn.web.warming import warm

    warm()
