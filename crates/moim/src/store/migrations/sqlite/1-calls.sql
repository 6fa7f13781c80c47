-- Texts by name: the place of whatever needs no table.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A call: the time in which a room has participants.
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL,
    -- Milliseconds since 1970.
    began INTEGER NOT NULL,
    -- NULL while it goes on, and after a crash.
    ended INTEGER
) STRICT;

CREATE INDEX call_by_begin ON call (began);

-- A participant of a call, from its join until it has left for good.
CREATE TABLE participation (
    id INTEGER PRIMARY KEY,
    call INTEGER NOT NULL REFERENCES call (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    joined INTEGER NOT NULL,
    departed INTEGER
) STRICT;

CREATE INDEX participation_by_call ON participation (call);

-- The quality of a participant's links over ten seconds, later over a minute. The time comes first
-- in the key, so that rows are appended: with the participant first, each would change a page of
-- its own. NULL: unknown.
CREATE TABLE quality (
    -- Start, seconds since 1970.
    at INTEGER NOT NULL,
    participation INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    -- See quality::Transport.
    transport INTEGER,
    round_trip_ms INTEGER,
    jitter_ms INTEGER,
    -- Thousandths of the packets from and to the participant.
    loss_up INTEGER,
    loss_down INTEGER,
    kbps_up INTEGER,
    kbps_down INTEGER,
    -- Estimated bandwidth to the participant.
    estimate_kbps INTEGER,
    -- Frames per second that its page encodes and decodes.
    frames_up INTEGER,
    frames_down INTEGER,
    -- See quality::EncoderLimit.
    encoder_limit INTEGER,
    -- Pictures that it is sent, and the lowest of their heights.
    pictures INTEGER,
    height INTEGER,
    -- Pictures that stood still at its page.
    stalled INTEGER,
    -- Pictures not sent for lack of bandwidth, because hidden, by a limit.
    paused_bandwidth INTEGER,
    paused_hidden INTEGER,
    paused_limit INTEGER,
    -- Thousandths of the sound that was concealed.
    concealed INTEGER,
    -- Others that its picture was sent to, and those at whose page it stood still.
    viewers INTEGER,
    stalled_viewers INTEGER,
    -- The link was silent.
    interrupted INTEGER,
    -- Thousandths of the time in which the busiest shard worked.
    server_busy INTEGER,
    PRIMARY KEY (at, participation)
) STRICT, WITHOUT ROWID;
