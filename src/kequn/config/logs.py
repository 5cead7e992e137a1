"""Log lines as JSON, one object a line, each with the id of the request it belongs to."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("kequn_request_id", default="")
CARRIED = ("method", "path", "status", "milliseconds", "person")  # what a request's own line says besides


class WithRequest(logging.Filter):
    """Puts the id of the request on every record, so that any format may name it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


class AsJson(logging.Formatter):
    """One JSON object a line: time in UTC, level, logger, message, request id; the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        said |= {name: getattr(record, name) for name in CARRIED if hasattr(record, name)}
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)
