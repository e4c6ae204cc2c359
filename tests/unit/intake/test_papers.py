"""Required papers compared with documents, contacts, and the competent department."""

from datetime import date

import pytest

from services.intake.domain.competence import competent_department, department_of_receipt
from services.intake.domain.contacts import check_contact, reach_of
from services.intake.domain.papers import check_documents, check_receipt, missing_papers, paper_names
from shared.kernel.centre import Requirement
from shared.kernel.errors import Refusal
from shared.service.problems import status_of


def requirement(key: str, name_vi: str, *, mandatory: bool = True) -> Requirement:
    """A paper that procedure 2.000635 requires."""
    return Requirement(
        procedure="2.000635",
        key=key,
        name_vi=name_vi,
        form="original",
        copies=1,
        mandatory=mandatory,
        valid_from=date(2017, 4, 28),
        decision="02/QĐ",
    )


FORM = requirement("form", "Tờ khai")
DEED = requirement("deed", "Bản chính giấy chứng nhận")
PHOTO = requirement("photo", "Ảnh 3x4", mandatory=False)
NEEDS = (FORM, DEED, PHOTO)
DEPARTMENTS = ("STP", "SYT", "SNV")


def test_only_mandatory_papers_are_missing() -> None:
    """A document without a requirement replaces no paper."""
    assert missing_papers(NEEDS, ["form", None]) == (DEED,)


def test_unentered_requirements_are_never_missing() -> None:
    """Papers of a procedure without entered requirements cannot be checked."""
    assert missing_papers(None, []) == ()
    assert paper_names(None, ["anything"]) == ("anything",)
    check_documents(None, ["anything"])


def test_receipt_without_a_mandatory_paper_needs_a_reason() -> None:
    """The status is 409; the refusal names the missing papers and both remedies."""
    with pytest.raises(Refusal, match="Bản chính") as refusal:
        check_receipt([DEED], reason=None, requested=[])
    assert status_of(refusal.value) == 409
    assert refusal.value.members == {"missing": ["deed"]}
    assert check_receipt([DEED], reason="the court has the original", requested=[]) is True


def test_receipt_without_a_requested_paper_is_allowed() -> None:
    """Form 02 names the paper by key or name; a paper that it does not name still needs a reason."""
    assert check_receipt([DEED], reason=None, requested={"deed"}) is True
    assert check_receipt([DEED], reason=None, requested={DEED.name_vi}) is True
    with pytest.raises(Refusal, match="Tờ khai"):
        check_receipt([FORM, DEED], reason=None, requested={"deed"})


def test_receipt_with_all_papers_is_complete() -> None:
    """A reason does not make it incomplete."""
    assert check_receipt([], reason="none needed", requested=[]) is False


def test_supplement_request_has_the_names_of_requirements() -> None:
    """Keys become names; a text that is not a requirement is refused with a pointer."""
    assert paper_names(NEEDS, ["deed", "Ảnh 3x4"]) == (DEED.name_vi, PHOTO.name_vi)
    with pytest.raises(Refusal) as refusal:
        paper_names(NEEDS, ["deed", "passport"])
    assert refusal.value.errors[0].pointer == "/data/papers/1"


def test_document_for_an_unknown_requirement_is_refused() -> None:
    """Otherwise a typing error would count as a missing paper."""
    with pytest.raises(Refusal) as refusal:
        check_documents(NEEDS, ["form", None, "dead"])
    assert refusal.value.errors[0].pointer == "/data/documents/2/requirement"


@pytest.mark.parametrize("phone", ["0912345678", "+84 912 345 678", "(0271) 3.888.999", "01212345678"])
def test_phone_number_in_any_usual_form_is_accepted(phone: str) -> None:
    """The sender normalises numbers, old prefixes included."""
    check_contact(phone, None, pointer="/data/applicant")


@pytest.mark.parametrize(
    ("phone", "email", "member"),
    [
        ("113", None, "phone"),
        ("not a number", None, "phone"),
        ("+84 912 345 678 912 345", None, "phone"),
        ("++84912345678", None, "phone"),
        (None, "nobody", "email"),
        (None, "a b@example.vn", "email"),
        (None, "a@example", "email"),
        (None, "a@example.vn, b@example.vn", "email"),
        (None, "a" * 65 + "@example.vn", "email"),
    ],
)
def test_invalid_contact_is_refused_without_repeating_it(phone: str | None, email: str | None, member: str) -> None:
    """Clients may log a problem, so it does not have the value."""
    with pytest.raises(Refusal) as refusal:
        check_contact(phone, email, pointer="/data/applicant")
    assert refusal.value.errors[0].pointer == f"/data/applicant/{member}"
    assert (phone or email or "") not in refusal.value.detail


def test_missing_contact_is_accepted() -> None:
    """The applicant gets only the receipt on paper."""
    check_contact(None, None, pointer="/data/applicant")
    assert reach_of(None, None) == ()
    assert reach_of("0912345678", "a@example.vn") == ("sms", "email")


def test_only_competent_department_needs_no_name() -> None:
    """A submission may name it."""
    for named in (None, "STP"):
        assert competent_department(named, procedure="2.000635", by_catalogue=["STP"], departments=DEPARTMENTS) == "STP"


def test_one_of_several_competent_departments_must_be_named() -> None:
    """The refusal has all of them."""
    both = ["STP", "SYT"]
    assert competent_department("SYT", procedure="1.0", by_catalogue=both, departments=DEPARTMENTS) == "SYT"
    with pytest.raises(Refusal, match="Name one") as refusal:
        competent_department(None, procedure="1.0", by_catalogue=both, departments=DEPARTMENTS)
    assert refusal.value.allowed == tuple(both)


@pytest.mark.parametrize("named", ["SNV", "nowhere"])
def test_department_that_is_not_competent_is_refused(named: str) -> None:
    """It does not matter whether the department exists."""
    with pytest.raises(Refusal):
        competent_department(named, procedure="1.0", by_catalogue=["STP"], departments=DEPARTMENTS)


def test_receipt_of_an_unknown_procedure_must_name_the_department() -> None:
    """The submission may omit it."""
    assert competent_department(None, procedure="9.9", by_catalogue=None, departments=DEPARTMENTS) is None
    with pytest.raises(Refusal, match="Name the competent department"):
        department_of_receipt(None, known=None, departments=DEPARTMENTS)
    assert department_of_receipt("SYT", known=None, departments=DEPARTMENTS) == "SYT"


def test_receipt_naming_another_department_is_refused() -> None:
    """The code is drawn in the name of the known department."""
    assert department_of_receipt(None, known="STP", departments=DEPARTMENTS) == "STP"
    with pytest.raises(Refusal, match="is STP, not SYT"):
        department_of_receipt("SYT", known="STP", departments=DEPARTMENTS)


def test_successor_of_an_ended_department_is_named_at_receipt() -> None:
    """Departments may merge between submission and receipt."""
    assert department_of_receipt("STC", known="SKHDT", departments=["STC"]) == "STC"
    with pytest.raises(Refusal, match="SKHDT does not exist on that day"):
        department_of_receipt(None, known="SKHDT", departments=["STC"])
