//! Reports that visitors sent from the page `/doctor`.

use std::sync::Arc;

use ::doctor::{Certainty, Code, Finding, Language, Severity, Told};
use axum::{Extension, Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::Query,
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::date,
};
use crate::{
    http::{ReportedFinding, VisitorReport},
    store::visitor_reports::{self, StoredVisitorReport},
};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Report of a visitor's browser about its network.
#[derive(Debug, Serialize, ToSchema)]
struct DoctorReport {
    /// Rises with time.
    id: String,
    /// When it was sent.
    #[schema(format = DateTime)]
    at: String,
    /// The host by which the visitor reached the server.
    host: String,
    /// The visitor's address, if it wished so.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The browser, as it names itself.
    user_agent: String,
    /// Findings, the most important first.
    findings: Vec<DoctorFinding>,
    /// Outcomes of the checks, as the page sent them.
    #[schema(value_type = Object)]
    facts: serde_json::Value,
}

/// A diagnosis.
#[derive(Debug, Serialize, ToSchema)]
struct DoctorFinding {
    /// Which one.
    code: String,
    /// broken, degraded or advice; absent for codes of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    severity: Option<Severity>,
    /// certain, likely or possible.
    #[schema(value_type = String)]
    certainty: Certainty,
    /// The finding, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    /// The remedy that the visitor was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// Which reports, in which language.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ReportsQuery {
    /// Language of the sentences: en or ko.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    lang: Language,
    /// The most items to return.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists what visitors sent from the page `/doctor` in the last seven days, the newest first.
#[utoipa::path(get, path = "/doctor/reports", tag = "server", params(ReportsQuery),
    responses((status = 200, body = Page<DoctorReport>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<ReportsQuery>,
) -> Result<Json<Page<DoctorReport>>, Problem> {
    caller.may_read()?;
    let ReportsQuery { lang, limit, cursor } = query;
    let (limit, before) = PageQuery::new(limit, cursor).read_number()?;
    let rows = parts
        .store
        .read(move |database| visitor_reports::list(database, before, limit + 1))
        .await
        .map_err(|error| Problem::from_store(&error))?;
    let page = Page::of_rows(rows.unwrap_or_default(), limit, |row| row.id);
    Ok(Json(page.map(|row| DoctorReport::new(row, lang))))
}

impl DoctorReport {
    fn new(row: StoredVisitorReport, language: Language) -> Self {
        let StoredVisitorReport { id, at, host, address, report } = row;
        // Written by this server or a later one, of which nothing but the time can be told.
        let report = serde_json::from_str(&report).unwrap_or_else(|_| VisitorReport {
            facts: serde_json::Value::Null,
            findings: Vec::new(),
            user_agent: String::new(),
        });
        let findings = report.findings.into_iter();
        Self {
            id: id.to_string(),
            at: date(at),
            host,
            address,
            user_agent: report.user_agent,
            findings: findings.map(|finding| DoctorFinding::new(finding, language)).collect(),
            facts: report.facts,
        }
    }
}

impl DoctorFinding {
    fn new(reported: ReportedFinding, language: Language) -> Self {
        let ReportedFinding { code, certainty, facts } = reported;
        let none = |code| Self { code, severity: None, certainty, sentence: None, remedy: None };
        let Some(known) = Code::find(&code) else { return none(code) };
        let finding = Finding { code: known, certainty, facts };
        let Told { severity, sentence, remedy, .. } = Told::new(&finding, language);
        let (sentence, remedy) = (Some(sentence), Some(remedy));
        Self { code, severity: Some(severity), certainty, sentence, remedy }
    }
}
