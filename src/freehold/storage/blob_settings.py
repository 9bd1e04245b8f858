"""Settings of the blob store, apart from the drivers that they are for."""

from dataclasses import dataclass
from typing import Final

INLINE_MAX_BYTES: Final = 128 << 10  # measured: rows are faster to write up to about 300 KiB, to read to 200


@dataclass(frozen=True, slots=True)
class S3Settings:
    """An S3-compatible store; an empty endpoint means AWS, empty keys the environment's identity.

    The objects under `prefix` belong to this database alone: what it does not name is swept. `allow_http` is
    for a store on a private network.
    """

    bucket: str
    region: str = "us-east-1"
    endpoint: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    allow_http: bool = False
    prefix: str = "blobs/"


@dataclass(frozen=True, slots=True)
class BlobSettings:
    """Contents up to `inline_max_bytes` are kept in rows, larger ones in S3 if given, else in files."""

    inline_max_bytes: int = INLINE_MAX_BYTES
    s3: S3Settings | None = None
