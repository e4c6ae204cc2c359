"""Who signs a batch of papers."""

import pytest
from pydantic import ValidationError

from services.intake.requests import HandOverRequest

ASKED = {"department": "STC", "dossiers": [{"code": "H10.04-170502-0007"}], "given_by": "clerk-41", "taken_by": "o-1"}


@pytest.mark.parametrize("place", ["given_by", "taken_by"])
def test_a_signer_is_an_account_and_no_name(place: str) -> None:
    """The refusal says so in words; two accounts are taken."""
    HandOverRequest.model_validate(ASKED)
    with pytest.raises(ValidationError) as refused:
        HandOverRequest.model_validate(ASKED | {place: "Nguyễn Văn A"})
    (fault,) = refused.value.errors()
    assert fault["loc"] == (place,)
    assert "write an account's id, such as clerk-41, not a person's name" in fault["msg"]
