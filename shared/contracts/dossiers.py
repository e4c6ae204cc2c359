"""Events of intake: the life of a dossier (`intake.dossiers.v1`).

No event contains a name, phone number, e-mail address, address, identity number or free text about a person.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Open
from shared.contracts.topics import DOSSIERS

Channel = Literal["online", "counter", "post"]
Reach = Literal["sms", "email"]
UNLISTED = "other"
"""The activity in events for an activity that the centre does not list."""

State = Literal[
    "submitted",
    "received",
    "processing",
    "supplement_required",
    "payment_required",
    "settled",
    "refused",
    "withdrawn",
    "stopped",
    "returned",
]


class ForeignCode(ContractModel):
    """The dossier's code in another system."""

    system: str
    code: str


class Document(ContractModel):
    """A submitted paper, without its title (which may name a person) and content.

    `requirement` is a key of the procedure's requirements, absent if the catalogue does not list them. A file has a
    media type, a size in bytes and a SHA-256 (hexadecimal); a paper original has neither.
    """

    requirement: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None


class Form(ContractModel):
    """The form of Circular 03/2025 that the act issued: `kind` 01 to 07, `number` unique in the centre."""

    kind: str
    number: str


class DossierEvent(EventData):
    """The members of all dossier events: the dossier's state after the event."""

    TOPIC: ClassVar[str] = DOSSIERS.name

    state: Open[State]


class DossierSubmittedV1(DossierEvent):
    """An applicant submitted a dossier. `department` is the competent one, absent if it is neither known nor named."""

    TYPE: ClassVar[str] = "dossier.submitted"

    procedure: str
    department: str | None = None
    channel: Open[Channel]
    counter: int | None = None
    reach: tuple[Open[Reach], ...] = ()
    foreign_codes: tuple[ForeignCode, ...] = ()
    documents: tuple[Document, ...] = ()


class DossierReceivedV1(DossierEvent):
    """The centre received the dossier (form 01). It has a code from now on, and its clock may start."""

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
    """Papers are missing (form 02). `papers` are the names of the requirements, as the applicant reads them.

    `papers` is empty if the catalogue does not list the procedure's requirements; intake then has the text of the
    request, together with the contact.
    """

    TYPE: ClassVar[str] = "dossier.supplement_required"

    before_receipt: bool
    papers: tuple[str, ...]
    form: Form


class DossierSupplementReceivedV1(DossierEvent):
    """The missing papers were received; the dossier returns to its previous state."""

    TYPE: ClassVar[str] = "dossier.supplement_received"

    documents: tuple[Document, ...] = ()


class DossierPaymentRequiredV1(DossierEvent):
    """A financial obligation must be met before the work continues."""

    TYPE: ClassVar[str] = "dossier.payment_required"

    amount_vnd: int = Field(gt=0)


class DossierPaidV1(DossierEvent):
    """The financial obligation is met."""

    TYPE: ClassVar[str] = "dossier.paid"


class DossierTakenOverV1(DossierEvent):
    """An officer of the competent department began to work on the dossier."""

    TYPE: ClassVar[str] = "dossier.taken_over"

    department: str


class DossierSettledV1(DossierEvent):
    """The department decided. `electronic_result`: the result is not carried back to the centre."""

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
    """The department extended the due date, with an apology (form 04).

    Exactly one of both is present: `working_days` more, or up to the close of `to_date`.
    """

    TYPE: ClassVar[str] = "dossier.extended"

    working_days: int | None = Field(default=None, gt=0)
    to_date: date | None = None
    form: Form


class DossierStepBegunV1(DossierEvent):
    """The next step of a procedure with several departments began, and `department` is competent from now on.

    Step 1 begins with the receipt. `passed_on_by` is the department of the previous step.
    """

    TYPE: ClassVar[str] = "dossier.step_begun"

    step: int = Field(ge=2)
    department: str
    passed_on_by: str


class DossierReopenedV1(DossierEvent):
    """Work on a settled dossier began again. The time since its settlement counts as a pause."""

    TYPE: ClassVar[str] = "dossier.reopened"


class DossierReturnedV1(DossierEvent):
    """The applicant received the result."""

    TYPE: ClassVar[str] = "dossier.returned"

    way: Open[Literal["counter", "post", "electronic"]]


class DossierStepRecordedV1(DossierEvent):
    """A line of the control slip (form 06): who did what. It changes neither state nor clock.

    `activity` and `group` are codes of the centre's list, since free text may name a person. An activity that is not
    listed is `other`; a group that is not listed is absent.
    """

    TYPE: ClassVar[str] = "dossier.step_recorded"

    activity: str
    group: str | None = None


class DossierHandedOverV1(DossierEvent):
    """The papers were handed over to the department, in a numbered batch with two signatures."""

    TYPE: ClassVar[str] = "dossier.handed_over"

    batch: str


class DossierResultArrivedV1(DossierEvent):
    """The result arrived at the returning place."""

    TYPE: ClassVar[str] = "dossier.result_arrived"


class DossierContactCorrectedV1(DossierEvent):
    """The applicant's contact was corrected. `reach` are the channels that it has now."""

    TYPE: ClassVar[str] = "dossier.contact_corrected"

    reach: tuple[Open[Reach], ...]


class DossierReceivedElsewhereV1(DossierEvent):
    """Another counter than the assigned one received the dossier. This is recorded, never refused."""

    TYPE: ClassVar[str] = "dossier.received_elsewhere"

    counter: int
    receiving_place: str
