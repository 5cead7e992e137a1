"""What is wrong with an installation and how to mend it. Each check answers; none changes anything."""

import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kequn.domain.errors import KequnError, Text


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: good, or what was found and how to mend it. A warning does not fail the check."""

    name: str
    is_good: bool
    text: Text
    is_warning: bool = False


def good(name: str, zh: str, en: str) -> Checked:
    return Checked(name, is_good=True, text=Text(zh, en))


def bad(name: str, zh: str, en: str, *, is_warning: bool = False) -> Checked:
    return Checked(name, is_good=False, text=Text(zh, en), is_warning=is_warning)


def check_home() -> Checked:
    from django.conf import settings

    home = Path(settings.KEQUN_HOME)
    key = home / "secret_key"
    free = shutil.disk_usage(home).free >> 20
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        return bad("home", f"{key} 可被他人读取；执行 chmod 600", f"{key} can be read by others; run chmod 600 on it")
    if free < 500:
        return bad("home", f"磁盘只剩{free}兆字节；请清理或扩容", f"only {free} MiB of disk are left; free some")
    return good("home", f"{home}，剩余{free}兆字节", f"{home}, {free} MiB free")


def check_database() -> Checked:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import DatabaseError

    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return bad("database", f"连不上数据库：{error}", f"the database cannot be reached: {error}")
    if waiting:
        number = len(waiting)
        return bad(
            "database",
            f"有{number}个迁移未执行；执行 kequn migrate",
            f"{number} migrations are waiting; run kequn migrate",
        )
    return good("database", f"{connection.vendor}，结构为最新", f"{connection.vendor}, its structure is up to date")


def check_audit() -> Checked:
    from kequn.apps.audit.selectors import verify

    verdict = verify()
    if verdict.why is not None:
        mend = Text("；从备份恢复并查明原因", "; restore from a backup and find out why")
        return bad("audit", verdict.why.zh + mend.zh, verdict.why.en + mend.en)
    return good("audit", f"审计链完整，{verdict.lines}行", f"the audit chain is whole, {verdict.lines} lines")


def check_pack() -> Checked:
    from django.conf import settings

    from kequn.policy import load_pack

    try:
        pack = load_pack(settings.KEQUN_PACK)
    except KequnError as error:
        return bad("policy", error.text.zh, error.text.en)
    return good("policy", f"政策包 {pack.id} {pack.version}", f"policy pack {pack.id} {pack.version}")


def check_accounts() -> Checked:
    """Every row that an import read was stored or refused, and the results say so row by row."""
    from django.db.models import Count, F

    from kequn.apps.ingest.models import ImportBatch

    counted = ImportBatch.objects.annotate(results=Count("rows"))
    wrong = list(counted.exclude(results=F("rows_read")).values_list("id", flat=True)[:5])
    if wrong:
        return bad("imports", f"批次 {wrong} 的行数对不上", f"the rows of imports {wrong} do not add up")
    return good("imports", "各批次行数相符", "the rows of all imports add up")


def check_jobs() -> Checked:
    from django.utils import timezone

    from kequn.apps.jobs.models import Job, State

    late = Job.objects.filter(state=State.LEASED, leased_until__lt=timezone.now()).count()
    failed = Job.objects.filter(state=State.FAILED).count()
    if late:
        return bad(
            "jobs",
            f"{late}个任务的工作进程已停；启动 kequn worker 即会接手",
            f"{late} jobs lost their worker; start kequn worker and it takes them up",
            is_warning=True,
        )
    if failed:
        return bad(
            "jobs", f"{failed}个任务失败；见运行页", f"{failed} jobs failed; see the page of runs", is_warning=True
        )
    return good("jobs", "没有停滞的任务", "no job is stuck")


PATIENCE_SECONDS = 300
BACKUP_DAYS = 7


def check_worker() -> Checked:
    """Work that waits while nobody takes it up."""
    from kequn.apps.jobs.selectors import oldest_waiting_seconds

    waits = oldest_waiting_seconds()
    if waits > PATIENCE_SECONDS:
        minutes = int(waits // 60)
        return bad(
            "worker",
            f"有任务已等待{minutes}分钟；启动 kequn worker 或 kequn serve",
            f"a job has been waiting for {minutes} minutes; start kequn worker or kequn serve",
            is_warning=True,
        )
    return good("worker", "没有任务久等", "no job waits for long")


def check_frontend() -> Checked:
    """The style sheets of the pages and the fonts of reports, which set-up fetches."""
    from django.conf import settings
    from django.core import checks

    from kequn.reports.typesetting import FONT_FOLDERS, FONT_PACKAGE

    found = [one for one in checks.run_checks(tags=[checks.Tags.staticfiles]) if one.is_serious()]
    fonts = [one for one in FONT_FOLDERS if not (settings.FRONTEND_ROOT / FONT_PACKAGE / one).is_dir()]
    if found or fonts:
        return bad(
            "front-end",
            "页面或报告所需文件缺失；执行 python3 dev.py demo --no-serve 取回",
            "files of the pages or fonts of the reports are missing; python3 dev.py demo --no-serve fetches them",
        )
    return good("front-end", "页面与报告所需文件齐全", "the files of pages and reports are there")


def check_backup() -> Checked:
    """When the last backup in the usual folder was made. Backups kept elsewhere are not known here."""
    import time

    from django.conf import settings

    made = [one.stat().st_mtime for one in (Path(settings.KEQUN_HOME) / "backups").glob("*.tar.gz")]
    if not made:
        zh, en = (
            "尚无备份；执行 kequn backup，并定期进行",
            "there is no backup yet; run kequn backup, and do so regularly",
        )
        return bad("backup", zh, en, is_warning=True)
    days = int((time.time() - max(made)) // 86_400)
    if days > BACKUP_DAYS:
        return bad(
            "backup",
            f"最近一次备份在{days}天前；执行 kequn backup",
            f"the last backup is {days} days old; run kequn backup",
            is_warning=True,
        )
    return good("backup", f"最近一次备份在{days}天前", f"the last backup is {days} days old")


def check_debug() -> Checked:
    from django.conf import settings

    if settings.DEBUG:
        return bad(
            "safety", "调试模式已开；去掉 KEQUN_DEBUG", "debugging is on; take KEQUN_DEBUG away", is_warning=True
        )
    if not settings.SESSION_COOKIE_SECURE:
        zh = "未启用HTTPS；除本机试用外，应置于HTTPS之后并设 KEQUN_HTTPS=1"
        en = "HTTPS is off; beyond a trial on one machine, serve behind HTTPS and set KEQUN_HTTPS=1"
        return bad("safety", zh, en, is_warning=True)
    return good("safety", "HTTPS与安全Cookie已启用", "HTTPS and secure cookies are on")


CHECKS: tuple[Callable[[], Checked], ...] = (
    check_home, check_database, check_pack, check_frontend, check_debug, check_audit, check_accounts, check_jobs,
    check_worker, check_backup,
)  # fmt: skip


def run_checks() -> list[Checked]:
    """All checks in order; those that need the database stop where it cannot be read."""
    results = []
    for one in CHECKS:
        result = one()
        results.append(result)
        if result.name == "database" and not result.is_good:
            break
    return results
