//! The routes and their description, made together.

use std::sync::Arc;

use axum::{Json, Router, http::StatusCode, response::IntoResponse, routing::get};
use utoipa::{
    OpenApi,
    openapi::{
        self, Content, RefOr, ResponseBuilder,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    administrators, audit_routes, call_routes, examiner_routes, invitations, key_routes, links,
    overview, participants,
    parts::Parts,
    problem::{MEDIA_TYPE, Problem},
    rooms, server, size, visitor_reports, webhook_routes,
};

/// Where the API is.
pub(super) const PREFIX: &str = "/api/v1";
/// Name of the way of authentication.
const KEY: &str = "key";

/// The title page of the description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "moim",
        description = "Rooms, participants, calls, webhooks, keys and the audit log of a moim server.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem))
)]
struct Title;

/// What each operation may answer besides its own responses.
const COMMON: [(u16, &str); 10] = [
    (400, "The request is malformed"),
    (401, "The key is missing or not valid"),
    (403, "The key does not permit this, or the connection is not encrypted"),
    (404, "There is no such thing"),
    (409, "The room is not in a state for this"),
    (413, "The body is too large"),
    (415, "The body is no JSON"),
    (422, "The request is understood, and not possible"),
    (429, "The key has sent too many requests"),
    (503, "The server or the room is busy, or the store can't be written"),
];

/// The routes below [`PREFIX`] and their description.
pub(super) fn routes() -> (Router<Arc<Parts>>, openapi::OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(Title::openapi())
        .merge(rooms::router())
        .merge(participants::router())
        .merge(call_routes::router())
        .merge(invitations::router())
        .merge(key_routes::router())
        .merge(webhook_routes::router())
        .merge(server::router())
        .merge(audit_routes::router())
        .merge(visitor_reports::router())
        .merge(administrators::router())
        .merge(overview::router())
        .merge(examiner_routes::router())
        .merge(size::router())
        .split_for_parts();
    api.info.version = env!("CARGO_PKG_VERSION").to_owned();
    api.servers = Some(vec![openapi::Server::new(PREFIX)]);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    if let Some(components) = &mut api.components {
        components.add_security_scheme(KEY, SecurityScheme::Http(scheme));
    }
    api.security = Some(vec![SecurityRequirement::new::<_, [String; 0], String>(KEY, [])]);
    links::add(&mut api);
    api.paths.paths.values_mut().flat_map(links::operations).for_each(add_common);
    (router, api)
}

fn add_common(operation: &mut Operation) {
    for (status, description) in COMMON {
        let schema = openapi::Ref::from_schema_name("Problem");
        let response = ResponseBuilder::new()
            .description(description)
            .content(MEDIA_TYPE, Content::new(Some(schema)))
            .build();
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_string()).or_insert(RefOr::T(response));
    }
}

/// The description, as a route of its own.
pub(super) fn description(api: openapi::OpenApi) -> Router {
    Router::new().route("/openapi.json", get(move || async move { Json(api) }))
}

/// The answer at other paths.
pub(super) async fn nothing() -> Problem {
    Problem::not_found("there is nothing at this path: see /api/v1/openapi.json")
}

/// The answer to other methods, to which the router adds `Allow`.
pub(super) async fn wrong_method() -> impl IntoResponse {
    let text = "this path has other methods: see /api/v1/openapi.json";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_operation_documents_its_problems_and_has_a_summary() {
        let (_, api) = routes();
        let json = serde_json::to_value(&api).unwrap();
        let mut operations = 0;
        for (path, item) in json["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = format!("{method} {path}");
                for (status, _) in COMMON {
                    assert!(operation["responses"].get(status.to_string()).is_some(), "{name}");
                }
                let summary = operation["summary"].as_str().unwrap_or_default();
                assert!(summary.ends_with('.'), "{name}: {summary:?}");
                operations += 1;
            }
        }
        assert!(operations > 20, "{operations}");
    }

    #[test]
    fn operations_have_ids_of_their_own_and_links_lead_to_them() {
        let (_, api) = routes();
        let json = serde_json::to_value(&api).unwrap();
        let items = json["paths"].as_object().unwrap().values();
        let operations = items.flat_map(|item| item.as_object().unwrap().values());
        let mut by_id = BTreeMap::new();
        for operation in operations {
            let id = operation["operationId"].as_str().unwrap();
            assert_eq!(by_id.insert(id, operation), None, "{id} twice");
        }
        for links::Making { maker, followers, parameters } in links::MAKING {
            let links = by_id[maker]["responses"]["201"]["links"].as_object().unwrap();
            assert_eq!(links.len(), followers.len(), "{maker}");
            for (name, link) in links {
                assert_eq!(link["operationId"], name.as_str());
                let takes = by_id[name.as_str()]["parameters"].as_array().unwrap();
                for (parameter, _) in parameters {
                    let is_it = |taken: &serde_json::Value| taken["name"] == *parameter;
                    assert!(takes.iter().any(is_it), "{name} takes no {parameter}");
                }
            }
        }
    }
}
