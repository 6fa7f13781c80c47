-- Texts by name: the place of whatever needs no table.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- A call: the time in which a room has participants.
CREATE TABLE call (
    id BIGINT PRIMARY KEY,
    room TEXT NOT NULL,
    -- Milliseconds since 1970.
    began BIGINT NOT NULL,
    -- NULL while it goes on, and after a crash.
    ended BIGINT
);

CREATE INDEX call_by_begin ON call (began);

-- A participant of a call, from its join until it has left for good.
CREATE TABLE participation (
    id BIGINT PRIMARY KEY,
    call BIGINT NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    joined BIGINT NOT NULL,
    departed BIGINT
);

CREATE INDEX participation_by_call ON participation (call);

-- The quality of a participant's links over ten seconds, later over a minute. The time comes first
-- in the key, so that rows are appended: with the participant first, each would change a page of
-- its own. NULL: unknown.
CREATE TABLE quality (
    -- Start, seconds since 1970.
    at BIGINT NOT NULL,
    participation BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    -- See quality::Transport.
    transport BIGINT,
    round_trip_ms BIGINT,
    jitter_ms BIGINT,
    -- Thousandths of the packets from and to the participant.
    loss_up BIGINT,
    loss_down BIGINT,
    kbps_up BIGINT,
    kbps_down BIGINT,
    -- Estimated bandwidth to the participant.
    estimate_kbps BIGINT,
    -- Frames per second that its page encodes and decodes.
    frames_up BIGINT,
    frames_down BIGINT,
    -- See quality::EncoderLimit.
    encoder_limit BIGINT,
    -- Pictures that it is sent, and the lowest of their heights.
    pictures BIGINT,
    height BIGINT,
    -- Pictures that stood still at its page.
    stalled BIGINT,
    -- Pictures not sent for lack of bandwidth, because hidden, by a limit.
    paused_bandwidth BIGINT,
    paused_hidden BIGINT,
    paused_limit BIGINT,
    -- Thousandths of the sound that was concealed.
    concealed BIGINT,
    -- Others that its picture was sent to, and those at whose page it stood still.
    viewers BIGINT,
    stalled_viewers BIGINT,
    -- The link was silent.
    interrupted BIGINT,
    -- Thousandths of the time in which the busiest shard worked.
    server_busy BIGINT,
    PRIMARY KEY (at, participation)
);
