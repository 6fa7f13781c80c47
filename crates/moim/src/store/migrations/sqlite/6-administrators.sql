-- Sessions of administrators.
CREATE TABLE administrator_session (
    -- SHA-256 of the secret in the browser's cookie.
    hash BLOB PRIMARY KEY,
    -- The name to sign in with.
    administrator TEXT NOT NULL,
    -- Milliseconds since 1970.
    opened INTEGER NOT NULL,
    -- The same, unless it is used before.
    expires INTEGER NOT NULL
) STRICT;
