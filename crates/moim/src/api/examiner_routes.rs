//! The doctor's findings about this server.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use doctor::Language;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{body::Query, caller::Caller, parts::Parts, problem::Problem};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A language of texts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LanguageQuery {
    /// `en` or `ko`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    lang: Language,
}

/// Examines the server and its machine, as `moim doctor --json` does. Takes some seconds.
#[utoipa::path(get, path = "/doctor/server", tag = "server", params(LanguageQuery),
    responses((status = 200, body = Object)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(LanguageQuery { lang }): Query<LanguageQuery>,
) -> Result<Json<Value>, Problem> {
    caller.may_read()?;
    let Some(examiner) = &parts.examiner else {
        return Err(Problem::not_found("this server can't examine its machine"));
    };
    let report = examiner.report(lang).await;
    Ok(Json(report.map_err(|error| Problem::internal(&error))?))
}
