"""What intake tells: the events of a dossier's life (`intake.dossiers.v1`).

No name, phone, e-mail, address, identity number or free text about a person stands in any of them.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import EventData, Open, Wire
from shared.contracts.topics import DOSSIERS

Channel = Literal["online", "counter", "post"]
Reach = Literal["sms", "email"]
UNLISTED = "other"
"""The activity that travels in the place of one that the centre does not list."""

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


class ForeignCode(Wire):
    """The dossier's code in another system."""

    system: str
    code: str


class Document(Wire):
    """A paper handed in, without its title (which may name a person) and without its bytes.

    `requirement` is a key of the procedure's requirements, absent where these are not entered. A file has media type,
    size (bytes) and SHA-256 (hex); a paper original has none of them.
    """

    requirement: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None


class Form(Wire):
    """A form of Circular 03/2025 that the act issued: `kind` 01 to 07, `number` unique in the centre."""

    kind: str
    number: str


class DossierEvent(EventData):
    """Common to all: the dossier's state after the event."""

    TOPIC: ClassVar[str] = DOSSIERS.name

    state: Open[State]


class DossierSubmittedV1(DossierEvent):
    """A request came in. `department` is the competent one; absent while none is known and none was named."""

    TYPE: ClassVar[str] = "dossier.submitted"

    procedure: str
    department: str | None = None
    channel: Open[Channel]
    counter: int | None = None
    reach: tuple[Open[Reach], ...] = ()
    foreign_codes: tuple[ForeignCode, ...] = ()
    documents: tuple[Document, ...] = ()


class DossierReceivedV1(DossierEvent):
    """The centre took the dossier in; the code exists from here on, and the clock may start."""

    TYPE: ClassVar[str] = "dossier.received"

    code: str
    procedure: str
    department: str
    channel: Open[Channel]
    counter: int | None = None
    form: Form
    incomplete: bool = False


class DossierRefusedV1(DossierEvent):
    """The centre did not take the dossier in (form 03)."""

    TYPE: ClassVar[str] = "dossier.refused"

    form: Form


class DossierSupplementRequiredV1(DossierEvent):
    """Papers are missing (form 02). `papers` are names of requirements, as told to the applicant.

    Empty where the procedure's requirements are not entered: what somebody wrote instead is asked of intake, together
    with the contact.
    """

    TYPE: ClassVar[str] = "dossier.supplement_required"

    before_receipt: bool
    papers: tuple[str, ...]
    form: Form


class DossierSupplementReceivedV1(DossierEvent):
    """The missing papers came; the dossier goes back to the state that it came from."""

    TYPE: ClassVar[str] = "dossier.supplement_received"

    documents: tuple[Document, ...] = ()


class DossierPaymentRequiredV1(DossierEvent):
    """A financial obligation must be met before work goes on."""

    TYPE: ClassVar[str] = "dossier.payment_required"

    amount_vnd: int = Field(gt=0)


class DossierPaidV1(DossierEvent):
    """The obligation is met."""

    TYPE: ClassVar[str] = "dossier.paid"


class DossierTakenOverV1(DossierEvent):
    """An officer of the competent department began to work on it."""

    TYPE: ClassVar[str] = "dossier.taken_over"

    department: str


class DossierSettledV1(DossierEvent):
    """The department decided. An electronic result needs no way back to the centre."""

    TYPE: ClassVar[str] = "dossier.settled"

    outcome: Open[Literal["approved", "rejected"]]
    electronic_result: bool = False


class DossierStoppedV1(DossierEvent):
    """Work ended without a result (form 05)."""

    TYPE: ClassVar[str] = "dossier.stopped"

    form: Form


class DossierWithdrawnV1(DossierEvent):
    """The applicant took the request back."""

    TYPE: ClassVar[str] = "dossier.withdrawn"


class DossierExtendedV1(DossierEvent):
    """The department takes more time, with an apology (form 04): `working_days` more, or up to the close of `to_date`;
    exactly one of both stands."""

    TYPE: ClassVar[str] = "dossier.extended"

    working_days: int | None = Field(default=None, gt=0)
    to_date: date | None = None
    form: Form


class DossierStepBegunV1(DossierEvent):
    """A further step of a procedure that several departments resolve in order: from here on `department` is competent.

    `step` counts from 1, which begins with the receipt; `passed_on_by` is the department that had the step before.
    """

    TYPE: ClassVar[str] = "dossier.step_begun"

    step: int = Field(ge=2)
    department: str
    passed_on_by: str


class DossierReopenedV1(DossierEvent):
    """A settled dossier is worked on again; the time since its settlement counts as a pause."""

    TYPE: ClassVar[str] = "dossier.reopened"


class DossierReturnedV1(DossierEvent):
    """The result is in the applicant's hands."""

    TYPE: ClassVar[str] = "dossier.returned"

    way: Open[Literal["counter", "post", "electronic"]]


class DossierStepRecordedV1(DossierEvent):
    """Who did what, for the control slip; moves neither state nor clock.

    `activity` and `group` are codes of the centre's list, since free words may name a person: an activity that is not
    listed travels as `other`, a group that is not listed not at all.
    """

    TYPE: ClassVar[str] = "dossier.step_recorded"

    activity: str
    group: str | None = None


class DossierHandedOverV1(DossierEvent):
    """The papers went from the receiving place to the department, in a numbered batch with two signatures."""

    TYPE: ClassVar[str] = "dossier.handed_over"

    batch: str


class DossierResultArrivedV1(DossierEvent):
    """The result lies at the returning place."""

    TYPE: ClassVar[str] = "dossier.result_arrived"


class DossierContactCorrectedV1(DossierEvent):
    """The applicant's contact changed; only the ways that now reach them are told."""

    TYPE: ClassVar[str] = "dossier.contact_corrected"

    reach: tuple[Open[Reach], ...]


class DossierReceivedElsewhereV1(DossierEvent):
    """The counter that received was not the one that routing's rule names; an event, never a refusal."""

    TYPE: ClassVar[str] = "dossier.received_elsewhere"

    counter: int
    receiving_place: str
