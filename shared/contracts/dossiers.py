"""Events of intake: the life of a dossier (`intake.dossiers.v1`).

No event contains a name, phone number, e-mail address, address, identity number or free text about a person.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Open
from shared.contracts.topics import DOSSIERS
from shared.kernel.vocabulary import Channel, Reach, State

UNLISTED = "other"
"""The activity in events for an activity that the centre does not list."""


class ForeignCode(ContractModel):
    """The dossier's code in another system."""

    system: str
    code: str


class Document(ContractModel):
    """A document that was handed in, without its title (which may name a person) and content.

    `requirement` is the key of the procedure's requirement that it meets, absent if the catalogue lists none. A file
    has a media type, a size in bytes and a SHA-256 (hexadecimal); all three are absent for a paper original.
    """

    requirement: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None


class Form(ContractModel):
    """The form of Circular 03/2025 that the act issued: `kind` is `01` to `07`, `number` is unique in the centre."""

    kind: str
    number: str


class DossierEvent(EventData):
    """The members of all dossier events: `state` is the dossier's state after the event."""

    TOPIC: ClassVar[str] = DOSSIERS.name

    state: Open[State]


class DossierSubmittedV1(DossierEvent):
    """An applicant submitted a dossier.

    `department` is the competent one; it is absent if none was named and the catalogue does not name exactly one.
    `reach` lists the channels on which the applicant can be reached.
    """

    TYPE: ClassVar[str] = "dossier.submitted"

    procedure: str
    department: str | None = None
    channel: Open[Channel]
    counter: int | None = None
    reach: tuple[Open[Reach], ...] = ()
    foreign_codes: tuple[ForeignCode, ...] = ()
    documents: tuple[Document, ...] = ()


class DossierReceivedV1(DossierEvent):
    """The centre received the dossier (form 01). It now has a code, and its clock starts if the procedure has a term.

    `incomplete` is true if papers were missing.
    """

    TYPE: ClassVar[str] = "dossier.received"

    code: str
    procedure: str
    department: str
    channel: Open[Channel]
    counter: int | None = None
    form: Form
    incomplete: bool = False


class DossierRefusedV1(DossierEvent):
    """The centre refused to receive the dossier (form 03)."""

    TYPE: ClassVar[str] = "dossier.refused"

    form: Form


class DossierSupplementRequiredV1(DossierEvent):
    """Papers are missing, and the applicant is asked for them (form 02).

    `papers` are the names of the missing requirements, as the applicant reads them. It is empty if the catalogue does
    not list the procedure's requirements; intake then provides the text of the request, together with the contact.
    """

    TYPE: ClassVar[str] = "dossier.supplement_required"

    before_receipt: bool
    papers: tuple[str, ...]
    form: Form


class DossierSupplementReceivedV1(DossierEvent):
    """The applicant handed in missing papers. The dossier returns to the state before the request."""

    TYPE: ClassVar[str] = "dossier.supplement_received"

    documents: tuple[Document, ...] = ()


class DossierPaymentRequiredV1(DossierEvent):
    """The applicant must pay `amount_vnd` before the work continues."""

    TYPE: ClassVar[str] = "dossier.payment_required"

    amount_vnd: int = Field(gt=0)


class DossierPaidV1(DossierEvent):
    """The applicant paid what was required. The dossier returns to the state before the request."""

    TYPE: ClassVar[str] = "dossier.paid"


class DossierTakenOverV1(DossierEvent):
    """An officer of the competent department `department` began to work on the dossier."""

    TYPE: ClassVar[str] = "dossier.taken_over"

    department: str


class DossierSettledV1(DossierEvent):
    """The competent department decided on the dossier. If `electronic_result`, no paper is carried to the centre."""

    TYPE: ClassVar[str] = "dossier.settled"

    outcome: Open[Literal["approved", "rejected"]]
    electronic_result: bool = False


class DossierStoppedV1(DossierEvent):
    """The work ended without a result (form 05)."""

    TYPE: ClassVar[str] = "dossier.stopped"

    form: Form


class DossierWithdrawnV1(DossierEvent):
    """The applicant withdrew the dossier."""

    TYPE: ClassVar[str] = "dossier.withdrawn"


class DossierExtendedV1(DossierEvent):
    """The department extended the due date, with an apology to the applicant (form 04).

    Exactly one of the two is present: `working_days` to add to the due date, or `to_date`, at whose close the dossier
    is due.
    """

    TYPE: ClassVar[str] = "dossier.extended"

    working_days: int | None = Field(default=None, gt=0)
    to_date: date | None = None
    form: Form


class DossierStepBegunV1(DossierEvent):
    """A further step of a procedure that several departments resolve began. `department` is competent from now on.

    Step 1 begins with the receipt, without this event. `passed_on_by` is the department of the previous step.
    """

    TYPE: ClassVar[str] = "dossier.step_begun"

    step: int = Field(ge=2)
    department: str
    passed_on_by: str


class DossierReopenedV1(DossierEvent):
    """Work on a settled dossier began again. For its clock, the time since the settlement is a pause."""

    TYPE: ClassVar[str] = "dossier.reopened"


class DossierReturnedV1(DossierEvent):
    """The applicant received the result, in the way that `way` names."""

    TYPE: ClassVar[str] = "dossier.returned"

    way: Open[Literal["counter", "post", "electronic"]]


class DossierStepRecordedV1(DossierEvent):
    """A line was added to the dossier's control slip (form 06): what was done, and by which group of people.

    It changes neither state nor clock. `activity` and `group` are codes of the centre's list, since free text may name
    a person. An activity that is not listed is `other`; a group that is not listed is absent.
    """

    TYPE: ClassVar[str] = "dossier.step_recorded"

    activity: str
    group: str | None = None


class DossierHandedOverV1(DossierEvent):
    """The dossier's papers were handed over to the department, with two signatures, in the batch `batch`."""

    TYPE: ClassVar[str] = "dossier.handed_over"

    batch: str


class DossierResultArrivedV1(DossierEvent):
    """The result arrived at the place from which the applicant receives it."""

    TYPE: ClassVar[str] = "dossier.result_arrived"


class DossierContactCorrectedV1(DossierEvent):
    """The applicant's contact was corrected. `reach` lists the channels on which the applicant can now be reached."""

    TYPE: ClassVar[str] = "dossier.contact_corrected"

    reach: tuple[Open[Reach], ...]


class DossierReceivedElsewhereV1(DossierEvent):
    """The dossier was received at `counter`, which does not belong to the assigned `receiving_place`.

    A receipt elsewhere is recorded, never refused.
    """

    TYPE: ClassVar[str] = "dossier.received_elsewhere"

    counter: int
    receiving_place: str
