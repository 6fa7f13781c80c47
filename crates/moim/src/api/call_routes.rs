//! Calls, and why one was bad.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use quality::Language;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{Path, Query},
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::{date, milliseconds},
};
use crate::{
    call_report::{self, CallReport, ParticipationSummary},
    store::{
        calls::{self, ListedCall, Participation},
        sql::{Database, SqlResult},
    },
};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(quality))
}

/// A call: the time in which a room has participants.
#[derive(Debug, Serialize, ToSchema)]
struct Call {
    /// Its id.
    id: String,
    /// The room's name.
    room: String,
    /// When the first participant joined.
    #[schema(format = DateTime)]
    began_at: String,
    /// When the last one left; absent while it goes on, and after a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Number of participations.
    participants: u32,
}

/// A call with its participants.
#[derive(Debug, Serialize, ToSchema)]
struct CallDetails {
    /// The call.
    #[serde(flatten)]
    call: Call,
    /// Its participants, in the order they joined. Whoever joined again is there again.
    participations: Vec<CallParticipant>,
}

/// A participant of a call, from its join until it has left for good. Numbers are means, absent if
/// unknown.
#[derive(Debug, Serialize, ToSchema)]
struct CallParticipant {
    /// Display name.
    name: String,
    /// When it joined.
    #[schema(format = DateTime)]
    joined_at: String,
    /// When it left; absent while it is there, and after a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    left_at: Option<String>,
    /// Number of samples, each of ten seconds or, later, of a minute.
    samples: usize,
    /// Last transport of its media: udp, tcp, relay_udp, relay_tcp or relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    /// Round-trip time.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<u64>,
    /// Thousandths of the packets from it that were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss_up_permille: Option<u64>,
    /// Thousandths of the packets to it that were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss_down_permille: Option<u64>,
    /// Kilobits per second from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    kbps_up: Option<u64>,
    /// Kilobits per second to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    kbps_down: Option<u64>,
    /// Time in which a picture stood still at its page.
    stalled_seconds: u32,
}

/// Why a call, or a part of it, was bad.
#[derive(Debug, Serialize, ToSchema)]
struct CallQuality {
    /// The beginning of what was examined.
    #[schema(format = DateTime)]
    from: String,
    /// Its end.
    #[schema(format = DateTime)]
    to: String,
    /// Findings, the earliest first.
    findings: Vec<Finding>,
    /// All findings in words, one on each line; or that nothing was found.
    text: String,
}

/// One trouble of one participant.
#[derive(Debug, Serialize, ToSchema)]
struct Finding {
    /// Its beginning.
    #[schema(format = DateTime)]
    from: String,
    /// Its end.
    #[schema(format = DateTime)]
    to: String,
    /// Name of the participant.
    participant: String,
    /// What happened and why. Times of day are in the server's zone.
    sentence: String,
}

/// Calls of a time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CallsQuery {
    /// Calls that began at this time or later (RFC 3339).
    #[param(format = DateTime)]
    since: Option<String>,
    /// Calls that began before this time (RFC 3339).
    #[param(format = DateTime)]
    until: Option<String>,
    /// The most items to return.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A part of a call, and a language.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct QualityQuery {
    /// Two minutes before and after this time are examined: RFC 3339, or a time of day (14:05) in
    /// the server's zone. Absent: the whole call.
    at: Option<String>,
    /// Language of the sentences.
    #[serde(default)]
    #[param(inline)]
    lang: Lang,
}

/// A language.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// Lists calls, the newest first. They are kept for 90 days.
#[utoipa::path(get, path = "/calls", tag = "calls", params(CallsQuery),
    responses((status = 200, body = Page<Call>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<CallsQuery>,
) -> Result<Json<Page<Call>>, Problem> {
    caller.may_read()?;
    let CallsQuery { since, until, limit, cursor } = query;
    let time = |field, text: Option<String>, default| {
        text.map_or(Ok(default), |text| milliseconds(field, &text))
    };
    let times = (time("since", since, 0)?, time("until", until, i64::MAX)?);
    let (limit, before) = PageQuery::new(limit, cursor).read_number()?;
    let rows = parts.read(move |database| calls::page(database, times, before, limit + 1)).await?;
    let page = Page::of_rows(rows.unwrap_or_default(), limit, |call| call.id);
    Ok(Json(page.map(|call| Call::from(&call))))
}

/// Shows a call and its participants.
#[utoipa::path(get, path = "/calls/{id}", tag = "calls",
    params(("id" = String, Path, description = "The call's id")),
    responses((status = 200, body = CallDetails)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<CallDetails>, Problem> {
    caller.may_read()?;
    let found = parts.read_call(&id, |database, call| {
        let participations = calls::participations(database, call.id, 0, i64::MAX)?;
        Ok(CallDetails {
            call: (&call).into(),
            participations: participations.iter().map(CallParticipant::from).collect(),
        })
    });
    Ok(Json(found.await?))
}

/// Tells why a call was bad, as `moim calls show` does.
#[utoipa::path(get, path = "/calls/{id}/quality", tag = "calls",
    params(("id" = String, Path, description = "The call's id"), QualityQuery),
    responses((status = 200, body = CallQuality)))]
async fn quality(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(query): Query<QualityQuery>,
) -> Result<Json<CallQuality>, Problem> {
    caller.may_read()?;
    let language = match query.lang {
        Lang::En => Language::English,
        Lang::Ko => Language::Korean,
    };
    let at = query.at.as_deref().map(Moment::read).transpose()?;
    let report = parts.read_call(&id, move |database, call| {
        let moment = match at.map(|at| at.of(&call)).transpose() {
            Ok(moment) => moment,
            Err(error) => return Ok(Err(Problem::invalid(format!("at: {error}")))),
        };
        CallReport::of(database, &call, moment, language).map(Ok)
    });
    let report = report.await??;
    Ok(Json(CallQuality::new(&report, language)))
}

/// A moment as given.
enum Moment {
    /// Seconds since 1970.
    At(i64),
    /// Seconds since midnight, in the server's zone.
    TimeOfDay(i64),
}

impl Moment {
    fn read(text: &str) -> Result<Self, Problem> {
        if let Ok(time_of_day) = call_report::parse_clock(text) {
            return Ok(Self::TimeOfDay(time_of_day));
        }
        let at = milliseconds("at", text);
        let at = at.map_err(|_| Problem::invalid("at: write 14:05 or 2027-01-31T12:00:00Z"))?;
        Ok(Self::At(at / 1000))
    }

    fn of(self, call: &ListedCall) -> anyhow::Result<i64> {
        match self {
            Self::At(at) => Ok(at),
            Self::TimeOfDay(time_of_day) => call_report::moment(call, time_of_day),
        }
    }
}

impl Parts {
    /// Reads the store; `None` without one.
    async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut dyn Database) -> SqlResult<T> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        self.store.read(queries).await.map_err(|error| Problem::from_store(&error))
    }

    /// Reads about a call.
    async fn read_call<T: Send + 'static>(
        &self,
        id: &str,
        queries: impl FnOnce(&mut dyn Database, ListedCall) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let nothing = || Problem::not_found("no call has this id");
        let id = calls::parse_id(id).ok_or_else(nothing)?;
        let found = self.read(move |database| {
            let call = calls::find(database, id)?;
            call.map(|call| queries(database, call)).transpose()
        });
        found.await?.flatten().ok_or_else(nothing)
    }
}

impl From<&ListedCall> for Call {
    fn from(call: &ListedCall) -> Self {
        Self {
            id: calls::shown_id(call.id),
            room: call.room.clone(),
            began_at: date(call.began),
            ended_at: call.ended.map(date),
            participants: call.participants,
        }
    }
}

impl From<&Participation> for CallParticipant {
    fn from(of: &Participation) -> Self {
        let summary = ParticipationSummary::of(of);
        Self {
            name: of.name.clone(),
            joined_at: date(of.joined),
            left_at: of.departed.map(date),
            samples: summary.samples,
            transport: summary.transport.map(quality::Transport::name),
            round_trip_ms: summary.round_trip_ms,
            loss_up_permille: summary.loss_up,
            loss_down_permille: summary.loss_down,
            kbps_up: summary.kbps_up,
            kbps_down: summary.kbps_down,
            stalled_seconds: summary.stalled_seconds,
        }
    }
}

impl CallQuality {
    fn new(report: &CallReport, language: Language) -> Self {
        let time = |seconds: i64| date(seconds.saturating_mul(1000));
        let findings = report.findings.iter().map(|finding| Finding {
            from: time(finding.from),
            to: time(finding.to),
            participant: finding.participant.clone(),
            sentence: finding.sentence.clone(),
        });
        Self {
            from: time(report.from),
            to: time(report.to),
            findings: findings.collect(),
            text: report.text(language),
        }
    }
}
