-- compatible: 1
-- Small sequential numbers, by name.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID, STRICT;

-- Message bytes. place: 'row' (data holds them), 'file' or 's3' (data is NULL). refs: how many rows name this blob.
CREATE TABLE blob (
    id BIGINT NOT NULL PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    place TEXT NOT NULL,
    refs BIGINT NOT NULL CHECK (refs > 0),
    data BLOB
) STRICT;
CREATE INDEX blob_place ON blob (place, id) WHERE place <> 'row';
