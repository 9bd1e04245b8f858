"""What can be wrong with certificates, said so that an owner knows what to do."""

from pathlib import Path

from freehold.errors import FreeholdError


class CertificateError(FreeholdError):
    """A certificate or key cannot be used; `public` names the file and the reason."""

    public = "certificate cannot be used"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
