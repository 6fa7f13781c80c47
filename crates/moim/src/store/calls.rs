//! Calls, their participants and the samples of their quality: writes and upkeep.

use quality::Sample;
use rusqlite::{Connection, named_params};

use super::retention::Retention;

/// Days for which calls are kept.
const CALL_DAYS: i64 = 90;
const DAY: i64 = 24 * 60 * 60;
const MINUTE: i64 = 60;
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
pub(crate) fn begin(connection: &Connection, call: &CallBegan) -> rusqlite::Result<()> {
    let sql = "INSERT INTO call (id, room, began) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((call.id, &call.room, call.at)).map(drop)
}

/// Writes the end of a call.
pub(crate) fn end(connection: &Connection, call: i64, at: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE call SET ended = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((call, at)).map(drop)
}

/// Writes a participant.
pub(crate) fn join(connection: &Connection, joined: &ParticipantJoined) -> rusqlite::Result<()> {
    let sql = "INSERT INTO participation (id, call, name, joined) VALUES (?1, ?2, ?3, ?4)";
    let values = (joined.id, joined.call, &joined.name, joined.at);
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

/// Writes that a participant has left for good.
pub(crate) fn leave(connection: &Connection, id: i64, at: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE participation SET departed = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((id, at)).map(drop)
}

/// Writes samples of participants.
pub(crate) fn add_samples(
    connection: &Connection,
    samples: &[(i64, Sample)],
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO quality VALUES (:at, :participation, :seconds, :transport,
            :round_trip_ms, :jitter_ms, :loss_up, :loss_down, :kbps_up, :kbps_down,
            :estimate_kbps, :frames_up, :frames_down, :encoder_limit, :pictures, :height,
            :stalled, :paused_bandwidth, :paused_hidden, :paused_limit, :concealed, :viewers,
            :stalled_viewers, :interrupted, :server_busy)",
    )?;
    for (participation, sample) in samples {
        insert.execute(named_params! {
            ":at": sample.at,
            ":participation": participation,
            ":seconds": sample.seconds,
            ":transport": sample.transport.map(quality::Transport::number),
            ":round_trip_ms": sample.round_trip_ms,
            ":jitter_ms": sample.jitter_ms,
            ":loss_up": sample.loss_up,
            ":loss_down": sample.loss_down,
            ":kbps_up": sample.kbps_up,
            ":kbps_down": sample.kbps_down,
            ":estimate_kbps": sample.estimate_kbps,
            ":frames_up": sample.frames_up,
            ":frames_down": sample.frames_down,
            ":encoder_limit": sample.encoder_limit.map(quality::EncoderLimit::number),
            ":pictures": sample.pictures,
            ":height": sample.height,
            ":stalled": sample.stalled,
            ":paused_bandwidth": sample.paused_bandwidth,
            ":paused_hidden": sample.paused_hidden,
            ":paused_limit": sample.paused_limit,
            ":concealed": sample.concealed,
            ":viewers": sample.viewers,
            ":stalled_viewers": sample.stalled_viewers,
            ":interrupted": sample.interrupted.then_some(1),
            ":server_busy": sample.server_busy,
        })?;
    }
    Ok(())
}

/// Rounds samples that are older than the retention to minutes, and deletes old calls. Returns true
/// if there is more to do.
pub(super) fn upkeep(
    connection: &Connection,
    now: i64,
    retention: Retention,
) -> rusqlite::Result<bool> {
    let keep = i64::from(retention.samples_days).min(CALL_DAYS) * DAY;
    let before = (now - keep).div_euclid(MINUTE) * MINUTE;
    let rounded = round_to_minutes(connection, before)?;
    let deleted = delete(connection, now - CALL_DAYS * DAY)?;
    connection.execute_batch("PRAGMA incremental_vacuum(256)")?;
    Ok(rounded || deleted)
}

/// Rounds the oldest samples before a time, a piece of whole minutes.
fn round_to_minutes(connection: &Connection, before: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT at FROM quality WHERE seconds < 60 AND at < ?1 ORDER BY at LIMIT 1 OFFSET ?2";
    let mut at = connection.prepare_cached(sql)?;
    let mut nth = |offset: i64| match at.query_row((before, offset), |row| row.get::<_, i64>(0)) {
        Ok(at) => Ok(Some(at)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error),
    };
    let Some(first) = nth(0)? else { return Ok(false) };
    let last = nth(UPKEEP_ROWS)?;
    let (from, to) = (
        first.div_euclid(MINUTE) * MINUTE,
        last.map_or(before, |at| (at.div_euclid(MINUTE) + 1) * MINUTE).min(before),
    );
    // Of what hurts, the worst counts; of the rest, the mean.
    let minutes = "CREATE TEMP TABLE minutes AS
        SELECT at / 60 * 60 AS at, participation, 60,
            max(transport), avg(round_trip_ms), max(jitter_ms), avg(loss_up), avg(loss_down),
            avg(kbps_up), avg(kbps_down), min(estimate_kbps), min(frames_up), min(frames_down),
            max(encoder_limit), max(pictures), min(height), max(stalled), max(paused_bandwidth),
            max(paused_hidden), max(paused_limit), max(concealed), max(viewers),
            max(stalled_viewers), max(interrupted), max(server_busy)
        FROM quality WHERE at >= ?1 AND at < ?2 GROUP BY at / 60, participation";
    connection.execute("DROP TABLE IF EXISTS temp.minutes", [])?;
    connection.execute(minutes, (from, to))?;
    connection.execute("DELETE FROM quality WHERE at >= ?1 AND at < ?2", (from, to))?;
    // STRICT columns take whole numbers only.
    let rounded: Vec<String> = {
        let query = connection.prepare("SELECT * FROM temp.minutes LIMIT 0")?;
        let names = query.column_names();
        names.iter().map(|name| format!("CAST(\"{name}\" AS INTEGER)")).collect()
    };
    let insert = format!("INSERT INTO quality SELECT {} FROM temp.minutes", rounded.join(", "));
    connection.execute(&insert, [])?;
    connection.execute("DROP TABLE temp.minutes", [])?;
    Ok(true)
}

/// Deletes what is older than a time, in pieces.
fn delete(connection: &Connection, before: i64) -> rusqlite::Result<bool> {
    let samples = connection.execute(
        "DELETE FROM quality WHERE (at, participation) IN
            (SELECT at, participation FROM quality WHERE at < ?1 ORDER BY at LIMIT ?2)",
        (before, UPKEEP_ROWS),
    )?;
    let calls = connection.execute(
        "DELETE FROM call WHERE id IN
            (SELECT id FROM call WHERE began < ?1 ORDER BY began LIMIT ?2)",
        (before * 1000, UPKEEP_ROWS / 10),
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
    connection: &Connection,
    since: i64,
    limit: u32,
) -> rusqlite::Result<Vec<ListedCall>> {
    let mut query = connection.prepare(
        "SELECT id, room, began, ended,
            (SELECT count(*) FROM participation WHERE call = call.id)
        FROM call WHERE began >= ?1 OR ended >= ?1 ORDER BY began DESC LIMIT ?2",
    )?;
    let rows = query.query_map((since, limit), |row| {
        Ok(ListedCall {
            id: row.get(0)?,
            room: row.get(1)?,
            began: row.get(2)?,
            ended: row.get(3)?,
            participants: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// A call by its id.
pub(crate) fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<ListedCall>> {
    let sql = "SELECT began FROM call WHERE id = ?1";
    let began = connection.prepare(sql)?.query_map([id], |row| row.get(0))?.next().transpose()?;
    let Some(began) = began else { return Ok(None) };
    // Ids of one second are few.
    let calls = list(connection, began, u32::MAX)?;
    Ok(calls.into_iter().find(|call| call.id == id))
}

/// The participations of a call, with their samples between two times (seconds since 1970).
pub(crate) fn participations(
    connection: &Connection,
    call: i64,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<Participation>> {
    let mut query = connection.prepare(
        "SELECT id, name, joined, departed FROM participation WHERE call = ?1 ORDER BY joined, id",
    )?;
    let rows = query.query_map([call], |row| {
        let participation = Participation {
            name: row.get(1)?,
            joined: row.get(2)?,
            departed: row.get(3)?,
            samples: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, participation))
    })?;
    let mut found: Vec<(i64, Participation)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut query = connection.prepare(
        "SELECT * FROM quality WHERE at >= ?1 AND at < ?2 AND participation IN
            (SELECT id FROM participation WHERE call = ?3) ORDER BY at",
    )?;
    let samples = query.query_map((from, to, call), |row| {
        Ok((row.get::<_, i64>("participation")?, sample(row)?))
    })?;
    for sample in samples {
        let (id, sample) = sample?;
        if let Some((_, participation)) = found.iter_mut().find(|(known, _)| *known == id) {
            participation.samples.push(sample);
        }
    }
    Ok(found.into_iter().map(|(_, participation)| participation).collect())
}

fn sample(row: &rusqlite::Row<'_>) -> rusqlite::Result<Sample> {
    let transport: Option<u8> = row.get("transport")?;
    let limit: Option<u8> = row.get("encoder_limit")?;
    Ok(Sample {
        at: row.get("at")?,
        seconds: row.get("seconds")?,
        transport: transport.and_then(quality::Transport::from_number),
        round_trip_ms: row.get("round_trip_ms")?,
        jitter_ms: row.get("jitter_ms")?,
        loss_up: row.get("loss_up")?,
        loss_down: row.get("loss_down")?,
        kbps_up: row.get("kbps_up")?,
        kbps_down: row.get("kbps_down")?,
        estimate_kbps: row.get("estimate_kbps")?,
        frames_up: row.get("frames_up")?,
        frames_down: row.get("frames_down")?,
        encoder_limit: limit.and_then(quality::EncoderLimit::from_number),
        pictures: row.get("pictures")?,
        height: row.get("height")?,
        stalled: row.get("stalled")?,
        paused_bandwidth: row.get("paused_bandwidth")?,
        paused_hidden: row.get("paused_hidden")?,
        paused_limit: row.get("paused_limit")?,
        concealed: row.get("concealed")?,
        viewers: row.get("viewers")?,
        stalled_viewers: row.get("stalled_viewers")?,
        interrupted: row.get::<_, Option<u8>>("interrupted")?.is_some(),
        server_busy: row.get("server_busy")?,
    })
}

/// The difference of local time to UTC at a time (seconds since 1970), by the system's zone.
pub(crate) fn local_offset(connection: &Connection, at: i64) -> rusqlite::Result<i64> {
    let sql = "SELECT CAST(strftime('%s', ?1, 'unixepoch', 'localtime') AS INTEGER) - ?1";
    connection.query_row(sql, [at], |row| row.get(0))
}
