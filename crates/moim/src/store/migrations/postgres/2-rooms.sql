-- A room of this server's own protocol that has not ended. Its password, the roles and bans of
-- devices and its chat are here, so that a restart changes none of them.
CREATE TABLE room (
    -- Rises with the time of opening.
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    template TEXT,
    capacity BIGINT NOT NULL,
    -- JSON: whatever has no column, see store/rooms.rs.
    state TEXT NOT NULL,
    -- Milliseconds since 1970.
    opened BIGINT NOT NULL,
    changed BIGINT NOT NULL
);

-- Messages of a room's chat, for people who come later.
CREATE TABLE chat (
    room BIGINT NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- JSON.
    message TEXT NOT NULL,
    PRIMARY KEY (room, number)
);

-- Settings of rooms under a name.
CREATE TABLE template (
    name TEXT PRIMARY KEY,
    -- JSON.
    settings TEXT NOT NULL,
    changed BIGINT NOT NULL
);

-- A link into a room. Only a hash of its secret is here.
CREATE TABLE invitation (
    id BIGINT PRIMARY KEY,
    room TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    role TEXT NOT NULL,
    -- NULL: any number.
    max_uses BIGINT,
    used BIGINT NOT NULL DEFAULT 0,
    -- Milliseconds since 1970; NULL: never.
    expires BIGINT,
    created BIGINT NOT NULL,
    created_by TEXT NOT NULL
);

CREATE INDEX invitation_by_room ON invitation (room);

-- A key of the API. Only a hash of its secret is here.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    -- JSON: what it may do.
    grants TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    -- The last day on which it was used.
    used BIGINT,
    revoked BIGINT
);

-- A receiver of events.
CREATE TABLE webhook (
    id BIGINT PRIMARY KEY,
    url TEXT NOT NULL,
    -- Signs what is sent, so it is here as it is.
    secret TEXT NOT NULL,
    -- JSON: events, rooms, the form of the signature.
    settings TEXT NOT NULL,
    created BIGINT NOT NULL,
    -- Sent nothing since; NULL: it is in use.
    disabled BIGINT
);

-- Events on their way to webhooks, in the order of their ids. What is delivered is deleted.
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    webhook BIGINT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    room TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Time of the next attempt.
    due BIGINT NOT NULL
);

CREATE INDEX outbox_by_webhook ON outbox (webhook, id);
CREATE INDEX outbox_by_created ON outbox (created);

-- Who did what, by their rights as hosts, administrators or holders of keys.
CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    -- Cut to /24 or /48.
    address TEXT,
    detail TEXT
);

CREATE INDEX audit_by_time ON audit (at);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append only';
END;
$$;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
