"""Object ids lead back to what they name, and differ between mailboxes."""

from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.folders.object_ids import MAX_BLOB_ID, EmailIds

KEYS = st.binary(min_size=16, max_size=16)


@given(KEYS, st.integers(0, MAX_BLOB_ID))
def test_an_id_leads_back_to_its_content(key: bytes, blob_id: int) -> None:
    ids = EmailIds(key)
    assert ids.blob_of(ids.of_blob(blob_id)) == blob_id


@given(KEYS, KEYS, st.integers(0, MAX_BLOB_ID))
def test_mailboxes_have_ids_of_their_own(one: bytes, other: bytes, blob_id: int) -> None:
    assert one == other or EmailIds(one).of_blob(blob_id) != EmailIds(other).of_blob(blob_id)


@given(KEYS, st.text(max_size=20))
def test_what_is_no_id_names_nothing(key: bytes, text: str) -> None:
    found = EmailIds(key).blob_of(text)
    assert found is None or EmailIds(key).of_blob(found) == text
