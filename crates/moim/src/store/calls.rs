//! Calls, their participants and the samples of their quality: writes and upkeep.

use quality::Sample;

use super::{
    meta,
    retention::Retention,
    sql::{Database, Row, SqlResult, Sqlite, values},
};

/// Days for which calls are kept.
const CALL_DAYS: i64 = 90;
const DAY: i64 = 24 * 60 * 60;
const MINUTE: i64 = 60;
/// The name of the time, in seconds since 1970, before which samples are rounded.
const ROUNDED: &str = "rounded";
/// Rows of one piece of the upkeep, which is done in some milliseconds.
const UPKEEP_ROWS: i64 = 5_000;

/// The beginning of a call.
#[derive(Debug, Clone)]
pub(crate) struct CallBegan {
    pub(crate) id: i64,
    pub(crate) room: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

/// A participant that has joined.
#[derive(Debug, Clone)]
pub(crate) struct ParticipantJoined {
    pub(crate) id: i64,
    pub(crate) call: i64,
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
}

/// Writes the beginning of a call.
pub(crate) fn begin(database: &mut dyn Database, call: &CallBegan) -> SqlResult<()> {
    let sql = "INSERT INTO call (id, room, began) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO NOTHING";
    database.execute(sql, values![call.id, &call.room, call.at]).map(drop)
}

/// Writes the end of a call.
pub(crate) fn end(database: &mut dyn Database, call: i64, at: i64) -> SqlResult<()> {
    database.execute("UPDATE call SET ended = ?2 WHERE id = ?1", values![call, at]).map(drop)
}

/// Writes a participant.
pub(crate) fn join(database: &mut dyn Database, joined: &ParticipantJoined) -> SqlResult<()> {
    let sql = "INSERT INTO participation (id, call, name, joined) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO NOTHING";
    let values = values![joined.id, joined.call, &joined.name, joined.at];
    database.execute(sql, values).map(drop)
}

/// Writes that a participant has left for good.
pub(crate) fn leave(database: &mut dyn Database, id: i64, at: i64) -> SqlResult<()> {
    let sql = "UPDATE participation SET departed = ?2 WHERE id = ?1";
    database.execute(sql, values![id, at]).map(drop)
}

/// Writes samples of participants. Of two at one time, the earlier one counts.
pub(crate) fn add_samples(database: &mut dyn Database, samples: &[(i64, Sample)]) -> SqlResult<()> {
    for (participation, sample) in samples {
        let values = values![
            sample.at,
            *participation,
            sample.seconds,
            sample.transport.map(quality::Transport::number),
            sample.round_trip_ms,
            sample.jitter_ms,
            sample.loss_up,
            sample.loss_down,
            sample.kbps_up,
            sample.kbps_down,
            sample.estimate_kbps,
            sample.frames_up,
            sample.frames_down,
            sample.encoder_limit.map(quality::EncoderLimit::number),
            sample.pictures,
            sample.height,
            sample.stalled,
            sample.paused_bandwidth,
            sample.paused_hidden,
            sample.paused_limit,
            sample.concealed,
            sample.viewers,
            sample.stalled_viewers,
            sample.interrupted.then_some(1_i64),
            sample.server_busy,
        ];
        database.execute(
            "INSERT INTO quality VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
            ON CONFLICT (at, participation) DO NOTHING",
            values,
        )?;
    }
    Ok(())
}

/// Rounds samples that are older than the retention to minutes, and deletes old calls. Returns true
/// if there is more to do.
pub(super) fn upkeep(
    database: &mut dyn Database,
    now: i64,
    retention: Retention,
) -> SqlResult<bool> {
    let keep = i64::from(retention.samples_days).min(CALL_DAYS) * DAY;
    let before = (now - keep).div_euclid(MINUTE) * MINUTE;
    let rounded = round_to_minutes(database, before)?;
    let deleted = delete(database, now - CALL_DAYS * DAY)?;
    Ok(rounded || deleted)
}

/// Rounds the oldest samples before a time, a piece of whole minutes. Samples before the time that
/// is kept in `meta` are rounded: without it, each piece would read all of them again.
fn round_to_minutes(database: &mut dyn Database, before: i64) -> SqlResult<bool> {
    let since = meta::find(database, ROUNDED)?.and_then(|time| time.parse().ok()).unwrap_or(0_i64);
    let mut nth = |offset: i64| {
        let sql = "SELECT at FROM quality WHERE at >= ?1 AND at < ?2 AND seconds < 60
            ORDER BY at LIMIT 1 OFFSET ?3";
        let row = database.query(sql, values![since, before, offset])?.pop();
        row.map(|mut row| row.take::<i64>()).transpose()
    };
    let Some(first) = nth(0)? else { return Ok(false) };
    let last = nth(UPKEEP_ROWS)?;
    let (from, to) = (
        first.div_euclid(MINUTE) * MINUTE,
        last.map_or(before, |at| (at.div_euclid(MINUTE) + 1) * MINUTE).min(before),
    );
    // Of what hurts, the worst counts; of the rest, the mean, without its fraction.
    let means = ["round_trip_ms", "loss_up", "loss_down", "kbps_up", "kbps_down"]
        .map(|name| format!("CAST(sum({name}) AS BIGINT) / NULLIF(count({name}), 0)"));
    let [round_trip, loss_up, loss_down, kbps_up, kbps_down] = &means;
    let minutes = format!(
        "SELECT participation, at / 60 * 60, CAST(60 AS BIGINT),
            max(transport), {round_trip}, max(jitter_ms), {loss_up}, {loss_down}, {kbps_up},
            {kbps_down}, min(estimate_kbps), min(frames_up), min(frames_down),
            max(encoder_limit), max(pictures), min(height), max(stalled), max(paused_bandwidth),
            max(paused_hidden), max(paused_limit), max(concealed), max(viewers),
            max(stalled_viewers), max(interrupted), max(server_busy)
        FROM quality WHERE at >= ?1 AND at < ?2 GROUP BY at / 60, participation"
    );
    let minutes = database.query(&minutes, values![from, to])?;
    database.execute("DELETE FROM quality WHERE at >= ?1 AND at < ?2", values![from, to])?;
    let rounded = minutes.into_iter().map(|mut row| Ok((row.take()?, sample(&mut row)?)));
    add_samples(database, &rounded.collect::<SqlResult<Vec<_>>>()?)?;
    meta::set(database, ROUNDED, &to.to_string())?;
    Ok(true)
}

/// Deletes what is older than a time, in pieces.
fn delete(database: &mut dyn Database, before: i64) -> SqlResult<bool> {
    let samples = database.execute(
        "DELETE FROM quality WHERE (at, participation) IN
            (SELECT at, participation FROM quality WHERE at < ?1 ORDER BY at LIMIT ?2)",
        values![before, UPKEEP_ROWS],
    )?;
    let calls = database.execute(
        "DELETE FROM call WHERE id IN
            (SELECT id FROM call WHERE began < ?1 ORDER BY began LIMIT ?2)",
        values![before * 1000, UPKEEP_ROWS / 10],
    )?;
    Ok(samples > 0 || calls > 0)
}

/// A call as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedCall {
    pub(crate) id: i64,
    pub(crate) room: String,
    /// Milliseconds since 1970.
    pub(crate) began: i64,
    /// Milliseconds since 1970; `None` while it goes on, and after a crash.
    pub(crate) ended: Option<i64>,
    pub(crate) participants: u32,
}

/// A participation with its samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Participation {
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) joined: i64,
    /// Milliseconds since 1970.
    pub(crate) departed: Option<i64>,
    /// In the order of time.
    pub(crate) samples: Vec<Sample>,
}

/// Letters of ids: no vowels, so no words, and none that look like digits.
const LETTERS: &[u8; 20] = b"bcdfghjkmnpqrstvwxyz";

/// An id as operators see and type it.
pub(crate) fn shown_id(id: i64) -> String {
    let base = LETTERS.len() as u64;
    let mut rest = id.unsigned_abs();
    let mut letters = Vec::new();
    while rest > 0 || letters.len() < 8 {
        let digit = usize::try_from(rest % base).unwrap_or_default();
        let letter = LETTERS.get(digit).copied().unwrap_or(b'b');
        letters.push(char::from(letter));
        rest /= base;
    }
    letters.into_iter().rev().collect()
}

/// The id of a text, if it is one.
pub(crate) fn parse_id(text: &str) -> Option<i64> {
    let base = LETTERS.len() as i64;
    text.bytes().try_fold(0_i64, |id, letter| {
        let digit = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        id.checked_mul(base)?.checked_add(i64::try_from(digit).ok()?)
    })
}

/// The calls that went on after a time (milliseconds since 1970), the newest first.
pub(crate) fn list(
    database: &mut dyn Database,
    since: i64,
    limit: u32,
) -> SqlResult<Vec<ListedCall>> {
    let rows = database.query(
        "SELECT id, room, began, ended,
            (SELECT count(*) FROM participation WHERE call = call.id)
        FROM call WHERE began >= ?1 OR ended >= ?1 ORDER BY began DESC LIMIT ?2",
        values![since, limit],
    )?;
    rows.into_iter().map(listed).collect()
}

/// The calls that began between two times (milliseconds since 1970), before another call if one is
/// given, the newest first.
pub(crate) fn page(
    database: &mut dyn Database,
    (since, until): (i64, i64),
    before: Option<i64>,
    limit: u32,
) -> SqlResult<Vec<ListedCall>> {
    let rows = database.query(
        "SELECT id, room, began, ended,
            (SELECT count(*) FROM participation WHERE call = call.id)
        FROM call WHERE began >= ?1 AND began < ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4",
        values![since, until, before.unwrap_or(i64::MAX), limit],
    )?;
    rows.into_iter().map(listed).collect()
}

/// A call by its id.
pub(crate) fn find(database: &mut dyn Database, id: i64) -> SqlResult<Option<ListedCall>> {
    let rows = database.query(
        "SELECT id, room, began, ended,
            (SELECT count(*) FROM participation WHERE call = call.id)
        FROM call WHERE id = ?1",
        values![id],
    )?;
    rows.into_iter().next().map(listed).transpose()
}

fn listed(mut row: Row) -> SqlResult<ListedCall> {
    Ok(ListedCall {
        id: row.take()?,
        room: row.take()?,
        began: row.take()?,
        ended: row.take()?,
        participants: row.take()?,
    })
}

/// The participations of a call, with their samples between two times (seconds since 1970).
pub(crate) fn participations(
    database: &mut dyn Database,
    call: i64,
    from: i64,
    to: i64,
) -> SqlResult<Vec<Participation>> {
    let sql = "SELECT id, name, joined, departed FROM participation WHERE call = ?1
        ORDER BY joined, id";
    let mut found: Vec<(i64, Participation)> = Vec::new();
    for mut row in database.query(sql, values![call])? {
        let id = row.take()?;
        let participation = Participation {
            name: row.take()?,
            joined: row.take()?,
            departed: row.take()?,
            samples: Vec::new(),
        };
        found.push((id, participation));
    }
    let sql = format!(
        "SELECT participation, {SAMPLE} FROM quality WHERE at >= ?1 AND at < ?2
            AND participation IN (SELECT id FROM participation WHERE call = ?3) ORDER BY at"
    );
    for mut row in database.query(&sql, values![from, to, call])? {
        let (id, sample) = (row.take::<i64>()?, sample(&mut row)?);
        if let Some((_, participation)) = found.iter_mut().find(|(known, _)| *known == id) {
            participation.samples.push(sample);
        }
    }
    Ok(found.into_iter().map(|(_, participation)| participation).collect())
}

/// The columns of [`sample`].
const SAMPLE: &str = "at, seconds, transport, round_trip_ms, jitter_ms, loss_up, loss_down,
    kbps_up, kbps_down, estimate_kbps, frames_up, frames_down, encoder_limit, pictures, height,
    stalled, paused_bandwidth, paused_hidden, paused_limit, concealed, viewers, stalled_viewers,
    interrupted, server_busy";

fn sample(row: &mut Row) -> SqlResult<Sample> {
    Ok(Sample {
        at: row.take()?,
        seconds: row.take()?,
        transport: row.take::<Option<u8>>()?.and_then(quality::Transport::from_number),
        round_trip_ms: row.take()?,
        jitter_ms: row.take()?,
        loss_up: row.take()?,
        loss_down: row.take()?,
        kbps_up: row.take()?,
        kbps_down: row.take()?,
        estimate_kbps: row.take()?,
        frames_up: row.take()?,
        frames_down: row.take()?,
        encoder_limit: row.take::<Option<u8>>()?.and_then(quality::EncoderLimit::from_number),
        pictures: row.take()?,
        height: row.take()?,
        stalled: row.take()?,
        paused_bandwidth: row.take()?,
        paused_hidden: row.take()?,
        paused_limit: row.take()?,
        concealed: row.take()?,
        viewers: row.take()?,
        stalled_viewers: row.take()?,
        interrupted: row.take::<Option<u8>>()?.is_some(),
        server_busy: row.take()?,
    })
}

/// The difference of local time to UTC at a time (seconds since 1970), by the system's zone.
pub(crate) fn local_offset(at: i64) -> SqlResult<i64> {
    // SQLite knows the zones of each system.
    let sql = "SELECT CAST(strftime('%s', ?1, 'unixepoch', 'localtime') AS INTEGER) - ?1";
    let row = Sqlite(rusqlite::Connection::open_in_memory()?).query(sql, values![at])?.pop();
    row.map_or(Ok(0), |mut row| row.take())
}
