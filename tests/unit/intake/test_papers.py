"""Papers: requirements against documents, contacts, and the competent department."""

from datetime import date

import pytest

from services.intake.domain.competence import competent_department, department_of_receipt
from services.intake.domain.contacts import check_contact, reach
from services.intake.domain.papers import check_documents, check_receipt, missing, named_papers
from shared.kernel.centre import Requirement
from shared.kernel.errors import Refusal
from shared.service.problems import status_of


def requirement(key: str, name_vi: str, *, mandatory: bool = True) -> Requirement:
    """A paper that procedure 2.000635 asks for."""
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


def test_only_mandatory_papers_can_be_missing() -> None:
    """A document without a requirement answers none."""
    assert missing(NEEDS, ["form", None]) == (DEED,)


def test_where_no_requirements_are_entered_nothing_can_be_missing() -> None:
    """ "Not entered" is not "none": the procedure simply cannot be checked."""
    assert missing(None, []) == ()
    assert named_papers(None, ["anything"]) == ("anything",)
    check_documents(None, ["anything"])


def test_receiving_without_a_mandatory_paper_needs_a_reason() -> None:
    """409 naming what is missing and both ways out."""
    with pytest.raises(Refusal, match="Bản chính") as refusal:
        check_receipt([DEED], reason=None, asked_before=[])
    assert status_of(refusal.value) == 409
    assert refusal.value.members == {"missing": ["deed"]}
    assert check_receipt([DEED], reason="the original lies with the court", asked_before=[]) is True


def test_receiving_without_a_paper_that_form_02_asked_for_is_allowed() -> None:
    """By the requirement's key or name; a paper never asked for still needs a reason."""
    assert check_receipt([DEED], reason=None, asked_before={"deed"}) is True
    assert check_receipt([DEED], reason=None, asked_before={DEED.name_vi}) is True
    with pytest.raises(Refusal, match="Tờ khai"):
        check_receipt([FORM, DEED], reason=None, asked_before={"deed"})


def test_a_whole_dossier_is_received_as_complete() -> None:
    """No reason is needed, and none makes it incomplete."""
    assert check_receipt([], reason="none needed", asked_before=[]) is False


def test_a_supplement_request_tells_the_names_of_requirements() -> None:
    """Keys become names; what is no requirement is refused with a pointer."""
    assert named_papers(NEEDS, ["deed", "Ảnh 3x4"]) == (DEED.name_vi, PHOTO.name_vi)
    with pytest.raises(Refusal) as refusal:
        named_papers(NEEDS, ["deed", "passport"])
    assert refusal.value.errors[0].pointer == "/data/papers/1"


def test_a_document_for_an_unknown_requirement_is_refused() -> None:
    """Otherwise a slip of the pen would count as a missing paper."""
    with pytest.raises(Refusal) as refusal:
        check_documents(NEEDS, ["form", None, "dead"])
    assert refusal.value.errors[0].pointer == "/data/documents/2/requirement"


@pytest.mark.parametrize("phone", ["0912345678", "+84 912 345 678", "(0271) 3.888.999", "01212345678"])
def test_phone_numbers_as_people_write_them_are_kept(phone: str) -> None:
    """Normalising is the sender's; old prefixes included."""
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
def test_what_cannot_be_a_contact_is_refused_without_repeating_it(
    phone: str | None, email: str | None, member: str
) -> None:
    """A problem may be logged by whoever gets it, so the value stays out of it."""
    with pytest.raises(Refusal) as refusal:
        check_contact(phone, email, pointer="/data/applicant")
    assert refusal.value.errors[0].pointer == f"/data/applicant/{member}"
    assert (phone or email or "") not in refusal.value.detail


def test_no_contact_is_allowed() -> None:
    """Paper receipt only."""
    check_contact(None, None, pointer="/data/applicant")
    assert reach(None, None) == ()
    assert reach("0912345678", "a@example.vn") == ("sms", "email")


def test_the_catalogue_names_the_competent_department() -> None:
    """One department needs no naming, and may be named."""
    for named in (None, "STP"):
        assert competent_department(named, procedure="2.000635", by_catalogue=["STP"], departments=DEPARTMENTS) == "STP"


def test_of_several_competent_departments_one_is_named() -> None:
    """The submission names it."""
    both = ["STP", "SYT"]
    assert competent_department("SYT", procedure="1.0", by_catalogue=both, departments=DEPARTMENTS) == "SYT"
    with pytest.raises(Refusal, match="name one") as refusal:
        competent_department(None, procedure="1.0", by_catalogue=both, departments=DEPARTMENTS)
    assert refusal.value.allowed == tuple(both)


@pytest.mark.parametrize("named", ["SNV", "nowhere"])
def test_a_department_that_is_not_competent_is_refused(named: str) -> None:
    """Whether it exists or not."""
    with pytest.raises(Refusal):
        competent_department(named, procedure="1.0", by_catalogue=["STP"], departments=DEPARTMENTS)


def test_an_unknown_procedure_can_be_submitted_but_receipt_names_its_department() -> None:
    """Somebody at the counter knows better than the catalogue."""
    assert competent_department(None, procedure="9.9", by_catalogue=None, departments=DEPARTMENTS) is None
    with pytest.raises(Refusal, match="name the competent department"):
        department_of_receipt(None, known=None, departments=DEPARTMENTS)
    assert department_of_receipt("SYT", known=None, departments=DEPARTMENTS) == "SYT"


def test_receipt_does_not_change_a_known_department() -> None:
    """The code is drawn from it."""
    assert department_of_receipt(None, known="STP", departments=DEPARTMENTS) == "STP"
    with pytest.raises(Refusal, match="is STP, not SYT"):
        department_of_receipt("SYT", known="STP", departments=DEPARTMENTS)


def test_a_department_that_ended_is_replaced_by_name_at_receipt() -> None:
    """Departments merge while dossiers wait."""
    assert department_of_receipt("STC", known="SKHDT", departments=["STC"]) == "STC"
    with pytest.raises(Refusal, match="no department SKHDT on that day"):
        department_of_receipt(None, known="SKHDT", departments=["STC"])
