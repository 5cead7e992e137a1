"""`kequn assess` as a banker meets it: a file in, findings out, or a refusal that names every bad cell."""

import csv
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cases import run_assess

HEADER = (
    "customer_id,size,size_group,size_missing,industry_section,industry_family,geography,region,income_group,"
    "score,grade,pd,credit_tier,segments,signals,stale"
)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def rows(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def assess(tmp_path, text, *options):
    code = run_assess(write(tmp_path / "in.csv", text), tmp_path / "out.csv", "--engine", "plain", *options)
    assert code == 0
    return rows(tmp_path / "out.csv")


GOOD = """customer_id,name,country,province,industry_code,employees,revenue,total_assets,statement_date
2,示例风电,CN,150000,D44,1200,5e8,9e9,2025-12-31
1,虚构软件,VN,,I65,5,,,2026-06-30
"""


def test_the_answer_has_the_promised_columns_and_keeps_the_order(tmp_path):
    found = assess(tmp_path, GOOD)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[0] == HEADER
    assert [row["customer_id"] for row in found] == ["2", "1"]
    assert [row["size"] for row in found] == ["large", "micro"]
    assert found[0]["segments"].split(";") == sorted(found[0]["segments"].split(";"))
    assert {"geo_west", "ind_energy", "size_large"} <= set(found[0]["segments"].split(";"))


def test_the_default_date_is_the_latest_statement(tmp_path):
    assert assess(tmp_path, GOOD)[1]["income_group"] == "LMC"  # Viet Nam on 2026-06-30
    assert assess(tmp_path, GOOD, "--as-of", "2026-07-01")[1]["income_group"] == "UMC"


def test_old_facts_are_used_and_named(tmp_path):
    found = assess(tmp_path, GOOD, "--as-of", "2027-12-31")
    assert found[0]["stale"] == "employees;total_assets;revenue"
    assert found[0]["size"] == "large"


def test_a_later_statement_is_not_known_yet(tmp_path, capsys):
    found = assess(tmp_path, GOOD, "--as-of", "2026-01-31")
    assert (found[0]["size"], found[1]["size"]) == ("large", "unknown")
    assert "2026-01-31" in capsys.readouterr().err


def test_a_scored_customer_has_score_grade_pd_and_tier(tmp_path):
    text = """customer_id,debt_ratio,interest_coverage,current_ratio,return_on_assets,net_margin
a,0.3,9,2.5,0.07,0.2
b,0.9,0.5,0.5,-0.1,-0.1
"""
    good, poor = assess(tmp_path, text)
    assert (good["score"], good["grade"], good["credit_tier"]) == ("100.0", "K01", "high")
    assert (poor["score"], poor["grade"], poor["credit_tier"]) == ("0.0", "K12", "low")
    assert 0 < float(good["pd"]) < float(poor["pd"]) < 1


def test_labels_in_chinese_are_names_too(tmp_path):
    found = assess(tmp_path, "客户编号,行业代码,从业人员\na,C39,5\n")
    assert found[0]["size"] == "micro"


def test_parquet_in_and_out(tmp_path):
    table = pa.table(
        {
            "customer_id": ["a", "b"],
            "industry_code": ["C39", None],
            "employees": [1000, 5],
            "revenue": [4e8, float("nan")],
            "statement_date": [date(2025, 12, 31), None],
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    assert run_assess(tmp_path / "in.parquet", tmp_path / "out.parquet") == 0
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["size"] for row in found] == ["large", "unknown"]
    assert found[1]["size_missing"] == "industry_code"
    assert found[1]["score"] is None


def test_every_engine_gives_the_same_file(tmp_path):
    source = write(tmp_path / "in.csv", GOOD)
    for engine in ("plain", "duckdb"):
        assert run_assess(source, tmp_path / f"{engine}.csv", "--engine", engine) == 0
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("industry_code", "F39", "GB/T 4754-2017"),
        ("industry_code", "C99", "GB/T 4754-2017"),
        ("industry_code", "39", "GB/T 4754-2017"),
        ("industry_code", "C3", "GB/T 4754-2017"),
        ("country", "China", "ISO 3166-1"),
        ("province", "990000", "GB/T 2260"),
        ("employees", "-1", "from 0"),
        ("employees", '"1,000"', "finite number"),
        ("revenue", "3亿", "finite number"),
        ("revenue", "inf", "finite number"),
        ("statement_date", "2025-02-30", "YYYY-MM-DD"),
        ("uscc", "91350100M000100Y44", "check character"),
        ("is_hnte", "maybe", "true or false"),
        ("management_quality", "6", "from 1 to 5"),
        ("external_rating_scale", "moodys", "global_moodys"),
    ],
)
def test_a_bad_cell_refuses_the_file_and_names_its_place(tmp_path, capsys, column, cell, said):
    source = write(tmp_path / "in.csv", f"customer_id,{column}\na,\nb,{cell}\n")
    assert run_assess(source, tmp_path / "out.csv", "--lang", "en") == 1
    assert not (tmp_path / "out.csv").exists()
    spoken = capsys.readouterr().err
    assert f"in.csv, row 3, {column}" in spoken
    assert said in spoken


def test_all_bad_cells_are_named_at_once_in_chinese(tmp_path, capsys):
    source = write(tmp_path / "in.csv", "customer_id,employees,industry_code\na,-1,F39\na,x,C39\n")
    assert run_assess(source, tmp_path / "out.csv", "--lang", "zh") == 1
    spoken = capsys.readouterr().err
    assert "4 处错误" in spoken
    assert "应为 GB/T 4754-2017 门类字母" in spoken


def test_unknown_derived_and_outcome_columns_are_said_and_do_not_refuse(tmp_path, capsys):
    assess(
        tmp_path, "customer_id,colour,size,defaulted,days_past_due,employees\na,red,large,true,5,3\n", "--lang", "en"
    )
    spoken = capsys.readouterr().err
    assert "unknown column, not used: colour" in spoken
    assert "policy derives this column, not used: size" in spoken
    assert "known only after the event, not used: defaulted" in spoken
    assert "one row a customer, not used: days_past_due" in spoken


@pytest.mark.parametrize("text", ["", "name\n甲\n", "customer_id,name\na\n", "customer_id,employees,从业人员\na,1,1\n"])
def test_a_file_that_is_no_table_of_customers_is_refused(tmp_path, text):
    assert run_assess(write(tmp_path / "in.csv", text), tmp_path / "out.csv") == 1
    assert not (tmp_path / "out.csv").exists()


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "in.csv").write_bytes("customer_id,name\n1,甲\n".encode("gb18030"))
    assert run_assess(tmp_path / "in.csv", tmp_path / "out.csv") == 1


def test_a_header_alone_gives_a_header_alone(tmp_path):
    assert assess(tmp_path, "customer_id,employees\n") == []


@pytest.mark.parametrize(
    "options", [["--engine", "abacus"], ["--pack", "nowhere"], ["--as-of", "soon"]], ids=["engine", "pack", "date"]
)
def test_misuse_is_told_apart_from_refusal(tmp_path, options):
    assert run_assess(write(tmp_path / "in.csv", GOOD), tmp_path / "out.csv", *options) == 2


def test_a_wrong_suffix_or_a_missing_file_is_misuse(tmp_path):
    assert run_assess(tmp_path / "none.csv", tmp_path / "out.csv") == 2
    assert run_assess(write(tmp_path / "in.csv", GOOD), tmp_path / "out.txt") == 2


def test_no_web_framework_is_loaded(tmp_path):
    source = write(tmp_path / "in.csv", GOOD)
    program = (
        "import sys; sys.argv = ['kequn', 'assess', sys.argv[1], '-o', sys.argv[2]];"
        "from kequn import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "sys.exit(3 if 'django' in sys.modules else 0)"
    )
    folder = Path(__file__).parents[2] / "src"
    ended = subprocess.run(
        [sys.executable, "-c", program, str(source), str(tmp_path / "out.csv")], cwd=folder, check=False, timeout=60
    )
    assert ended.returncode == 0
    assert (tmp_path / "out.csv").exists()
