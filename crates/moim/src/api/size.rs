//! Sizing of a server for a number of calls.

use std::sync::Arc;

use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{Query, malformed},
    caller::Caller,
    parts::Parts,
    problem::Problem,
};
use crate::sizing::{Calls, MAX_PEOPLE, MAX_PICTURE_KBPS, MAX_ROOMS, Sizing};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Calls that go on at once.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SizeQuery {
    /// Rooms at once.
    #[param(minimum = 1, maximum = 100_000)]
    rooms: u32,
    /// People in each room.
    #[param(minimum = 1, maximum = 10_000)]
    people: u32,
    /// Pictures that each of them sees at once; the others, nine at most, if absent.
    pictures: Option<u32>,
    /// Kilobits per second of a picture; 500 if absent.
    #[param(minimum = 1, maximum = 20_000)]
    kbps: Option<u32>,
}

/// Tells what calls need of a server, by measured numbers.
#[utoipa::path(get, path = "/size", tag = "server", params(SizeQuery),
    responses((status = 200, body = Sizing)))]
async fn show(
    Extension(caller): Extension<Caller>,
    Query(query): Query<SizeQuery>,
) -> Result<Json<Sizing>, Problem> {
    caller.may_read()?;
    let SizeQuery { rooms, people, pictures, kbps } = query;
    let within = |name, value: u32, most: u32| {
        let fits = (1..=most).contains(&value);
        if fits { Ok(()) } else { Err(malformed(format!("{name}: must be between 1 and {most}"))) }
    };
    within("rooms", rooms, MAX_ROOMS)?;
    within("people", people, MAX_PEOPLE)?;
    kbps.map_or(Ok(()), |kbps| within("kbps", kbps, MAX_PICTURE_KBPS))?;
    Ok(Json(Sizing::of(Calls { rooms, people, pictures, picture_kbps: kbps })))
}
