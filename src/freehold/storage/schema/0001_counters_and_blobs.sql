-- compatible: 1
-- Small sequential numbers, by name.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID, STRICT;

-- Message bytes. place: 'row' (data holds them), 'file:key' or 's3:key' (data is NULL).
-- refs: how many rows name this blob.
CREATE TABLE blob (
    id BIGINT NOT NULL PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    place TEXT NOT NULL,
    refs BIGINT NOT NULL CHECK (refs > 0),
    data BLOB
) STRICT;
CREATE INDEX blob_place ON blob (place) WHERE place <> 'row';
CREATE INDEX blob_large ON blob (id) WHERE place <> 'row';

-- Files and S3 objects that no blob names any more, to be removed after the commit that says so.
CREATE TABLE discarded_blob (
    place TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID, STRICT;
