-- Sessions of administrators.
CREATE TABLE administrator_session (
    -- SHA-256 of the secret in the browser's cookie.
    hash BYTEA PRIMARY KEY,
    -- The name to sign in with.
    administrator TEXT NOT NULL,
    -- Milliseconds since 1970.
    opened BIGINT NOT NULL,
    -- The same, unless it is used before.
    expires BIGINT NOT NULL
);
