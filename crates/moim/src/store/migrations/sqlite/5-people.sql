-- Sessions of people who signed in at the OpenID provider.
CREATE TABLE person_session (
    -- SHA-256 of the secret in the browser's cookie.
    hash BLOB PRIMARY KEY,
    -- Issuer and subject, with a line break between.
    identity TEXT NOT NULL,
    -- As the provider calls the person.
    name TEXT NOT NULL,
    -- Milliseconds since 1970.
    expires INTEGER NOT NULL
) STRICT;
