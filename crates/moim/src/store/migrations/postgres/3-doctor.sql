-- What a visitor's browser found out about its network, and its visitor sent to the host.
CREATE TABLE visitor_report (
    -- Rises with time.
    id BIGINT PRIMARY KEY,
    -- Milliseconds since 1970.
    at BIGINT NOT NULL,
    -- The host by which the visitor reached the server.
    host TEXT NOT NULL,
    -- Only if the visitor wished so.
    address TEXT,
    -- JSON: facts, findings and the browser, see http/doctor/reports.rs.
    report TEXT NOT NULL
);
