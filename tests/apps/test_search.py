"""The one box: what it finds, in which order, and what it keeps to itself."""

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.customers.models import Customer, Group
from kequn.apps.ingest.models import ImportBatch
from kequn.apps.ingest.undoing import undo
from kequn.apps.search.models import Kind, Posting, Shelf
from kequn.apps.search.selectors import matching, search
from kequn.apps.search.services import rebuild

pytestmark = pytest.mark.django_db

BOOK = (
    "customer_id,name,short_name,uscc,group_name,owner,team\n"
    "C1,重庆长江电力股份有限公司,长江电力,91110000600037341L,长江集团,wang,N1\n"
    "C2,上海浦江银行股份有限公司,浦江银行,,,li,N1\n"
    "C3,Green Harbour Power Ltd,GHP,,绿港集团,sun,N2\n"
    "C4,长江,,,,zhao,S1\n"
    "C50001,南江电力器材厂,,,长江集团,,\n"
)


@pytest.fixture
def book(bring, staff):
    bring(BOOK)
    return staff


def codes(question, person=None):
    return [one.code for one in search(person=person or LocalAdministrator(), question=question).customers]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("江", {"C1", "C2", "C4", "C50001"}),
        ("电力", {"C1", "C50001"}),
        ("长江电力股份", {"C1"}),
        ("重庆", {"C1"}),
        ("chongqing", {"C1"}),
        ("zhongqing", {"C1"}),
        ("cqcj", {"C1"}),
        ("chang jiang", {"C1", "C4", "C50001"}),
        ("yinhang", {"C2"}),
        ("yinh", {"C2"}),
        ("yh", {"C2"}),
        ("pjyh", {"C2"}),
        ("shanghaipujiangyinhang", {"C2"}),
        ("dlqcc", {"C50001"}),
        ("GREEN harb", {"C3"}),
        ("ghp", {"C3"}),
        ("arbour", {"C3"}),
        ("0000", {"C1"}),
        ("6000", {"C1"}),
        ("37341l", {"C1"}),
        ("ｃ５０００１", {"C50001"}),
        ("电力 器材", {"C50001"}),
        ("江长", set()),
        ("北京", set()),
        ("%", set()),
        ("", set()),
    ],
)
def test_found(book, question, expected):
    assert set(codes(question)) == expected


def test_exact_stands_before_beginning_before_fragment(book):
    assert codes("长江") == ["C4", "C1"]
    assert codes("长江电力") == ["C1"]


def test_the_larger_exposure_stands_first(book):
    from datetime import UTC, date, datetime

    from kequn.apps.assessments.models import CustomerFigures, Run

    run = Run.objects.create(as_of=date(2026, 9, 30), program_version="1", actor="x", started_at=datetime.now(UTC))
    for code, exposure in (("C1", 5), ("C50001", 9)):
        customer = Customer.objects.get(code=code)
        CustomerFigures.objects.create(customer=customer, exposure_gross=exposure, run=run)
    assert codes("电力") == ["C50001", "C1"]


@pytest.mark.parametrize(
    ("person", "expected"), [("wang", {"C1"}), ("sun", {"C1"}), ("zhao", set()), ("zhou", {"C1", "C50001"})]
)
def test_rows_counts_and_the_list_keep_to_the_scope(book, person, expected):
    results = search(person=book[person], question="电力")
    assert {one.code for one in results.customers} == expected
    assert results.count == len(expected)
    assert set(matching(person=book[person], words="电力").values_list("code", flat=True)) == expected


def test_a_group_shows_its_visible_customers_and_no_group_without_any(book):
    groups = search(person=book["zhou"], question="长江集团").groups
    assert [(one.name, one.count) for one in groups] == [("长江集团", 2)]
    assert [(one.name, one.count) for one in search(person=book["wang"], question="cjjt").groups] == [("长江集团", 1)]
    assert search(person=book["zhao"], question="长江集团").is_empty
    assert set(matching(person=book["zhou"], words="长江集团").values_list("code", flat=True)) == {"C1", "C50001"}


def test_a_parent_shows_its_customers_unless_the_parent_is_out_of_scope(book, bring):
    bring("parent_id,child_id,relation\nC4,C2,control\n", name="ownership.csv")
    parents = search(person=book["zhou"], question="长江").parents
    assert [(one.name, [c.code for c in one.customers]) for one in parents] == [("长江", ["C2"])]
    assert search(person=book["li"], question="长江").parents == []
    assert not matching(person=book["li"], words="长江").filter(code="C2").exists()


def test_a_project_shows_its_customers(book, bring):
    bring("project_id,project_name,customer_id,role\nP-77,海岭风电场一期,C3,borrower\n", name="projects.csv")
    projects = search(person=book["sun"], question="风电").projects
    assert [(one.code, [c.code for c in one.customers]) for one in projects] == [("P-77", ["C3"])]
    assert search(person=book["wang"], question="hlfd").projects == []


def contents():
    postings = Posting.objects.order_by("kind", "token", "block").values_list("kind", "token", "block", "members")
    return [(k, t, b, bytes(m)) for k, t, b, m in postings], list(
        Shelf.objects.order_by("kind", "number").values_list("kind", "number", "lines")
    )


def test_a_changed_name_is_found_by_the_new_one_only_and_undo_brings_the_old_back(book, bring):
    before = contents()
    bring("customer_id,name\nC2,黄浦江银行\nC9,新来的公司\n")
    assert (codes("上海"), codes("黄浦"), codes("xldgs")) == ([], ["C2"], ["C9"])
    undo(batch_id=ImportBatch.objects.latest("id").id, person=LocalAdministrator())
    assert (codes("上海"), codes("黄浦"), codes("新来")) == (["C2"], [], [])
    assert contents() == before


def test_rebuilding_gives_the_same_index_as_keeping_it_up_to_date(book, bring):
    bring("customer_id,name\n" + "".join(f"D{n},第{n}号公司\n" for n in range(300)))
    bring("customer_id,name\nD7,改了名的公司\n")
    kept = contents()
    assert rebuild(person=LocalAdministrator()) == {"customer": 305, "group": 2, "project": 0}
    assert contents() == kept


def test_a_dense_token_is_packed_as_a_bitmap_and_answers_the_same(book):
    from kequn.apps.search import postings

    places = postings.np.arange(0, 60_000, 3).astype("uint16")
    assert len(postings.packed(places)) == postings.BITMAP
    assert (postings.unpacked(postings.packed(places)) == places).all()
    assert (postings.unpacked(postings.packed(places[:9])) == places[:9]).all()


def test_searching_takes_a_fixed_number_of_queries(book, django_assert_max_num_queries):
    with django_assert_max_num_queries(25):
        search(person=book["wang"], question="长江 电力")


def test_nobody_without_the_right_rebuilds(book):
    from kequn.domain.errors import Misuse

    with pytest.raises(Misuse):
        rebuild(person=book["wang"])
    assert Group.objects.count() == 2
    assert Kind.GROUP.value == 2
