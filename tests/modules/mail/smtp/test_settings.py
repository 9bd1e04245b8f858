"""The section `[mail.smtp]` says what is wrong with it before the server starts."""

from typing import Any

import msgspec
import pytest

from freehold.modules.mail.smtp.settings import SmtpSettings


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"trusted_networks": ["10.0.0.0/33"]}, "10.0.0.0/33"),
        ({"relay_networks": ["everybody"]}, "everybody"),
        ({"check_sender_domain": "refues"}, "refues"),
    ],
)
def test_a_mistyped_value_is_named(section: dict[str, Any], told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.convert(section, SmtpSettings)
