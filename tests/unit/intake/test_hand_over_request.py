"""The signatures of a hand-over request."""

import pytest
from pydantic import ValidationError

from services.intake.papers.schemas import HandOverRequest

REQUEST = {"department": "STC", "dossiers": [{"code": "H10.04-170502-0007"}], "given_by": "clerk-41", "taken_by": "o-1"}


@pytest.mark.parametrize("place", ["given_by", "taken_by"])
def test_signature_that_is_not_an_account_is_refused(place: str) -> None:
    """The message names the form of an account; two accounts are accepted."""
    HandOverRequest.model_validate(REQUEST)
    with pytest.raises(ValidationError) as refused:
        HandOverRequest.model_validate(REQUEST | {place: "Nguyễn Văn A"})
    (error,) = refused.value.errors()
    assert error["loc"] == (place,)
    assert "Write an account's id such as clerk-41, not a person's name" in error["msg"]
