//! The OpenAPI document: generated from the handlers, committed as
//! `web/openapi.json`, from which the dashboard's types are made.

use crate::app::App;
use crate::dto::event::{BalanceEvent, ChangedEvent, EmptyEvent, PowerEvent, SlotEvent};
use crate::problem::{self, Problem};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement};

/// What does not come from a handler.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Jirani",
        description = "Neighbours sell surplus electricity to neighbours. Integers carry their unit in their name, \
                       times are RFC 3339 in UTC, errors are problem details (RFC 9457)."
    ),
    components(schemas(Problem, PowerEvent, SlotEvent, ChangedEvent, BalanceEvent, EmptyEvent)),
    tags(
        (name = "public", description = "For anybody."),
        (name = "session", description = "Signing in and out."),
        (name = "household", description = "What is the household's own."),
        (name = "market", description = "Offers, quotes and orders."),
        (name = "money", description = "Payouts."),
        (name = "events", description = "What changes, as it changes."),
        (name = "operator", description = "For the operator."),
        (name = "hooks", description = "M-Pesa's callbacks."),
    )
)]
pub struct Document;

/// Doors of the API for whoever is not signed in.
const OPEN: [&str; 5] = [
    "/api/v1/config",
    "/api/v1/sign-in",
    "/api/v1/sign-in/code",
    "/api/v1/operator/sign-in",
    "/api/v1/operator/accept",
];

/// Adds what is the same for all routes: errors, who may use them, and that
/// answers carry every field.
pub(crate) fn finish(document: &mut OpenApi) {
    document.info.license = None;
    "1".clone_into(&mut document.info.version);
    for (path, item) in &mut document.paths.paths {
        let closed = path.starts_with("/api/v1/")
            && !path.starts_with("/api/v1/demo/")
            && !OPEN.contains(&path.as_str());
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            add_error(operation);
            if closed {
                operation.security = Some(vec![
                    SecurityRequirement::new::<_, _, &str>("bearer", []),
                    SecurityRequirement::new::<_, _, &str>("cookie", []),
                ]);
            }
        }
    }
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
    );
    components.add_security_scheme(
        "cookie",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::origin::COOKIE))),
    );
    for (name, schema) in &mut components.schemas {
        // What is asked for may be left out, what is answered is always there.
        if !name.ends_with("Request")
            && let RefOr::T(Schema::Object(object)) = schema
            && matches!(object.schema_type, SchemaType::Type(Type::Object))
        {
            object.required = object.properties.keys().cloned().collect();
        }
    }
}

/// Named errors are what every error is; handlers name only their body.
fn add_error(operation: &mut Operation) {
    let problem = Ref::from_schema_name("Problem");
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let is_problem = |content: &RefOr<Content>| {
            let RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. }) = content else { return false };
            schema.ref_location == problem.ref_location
        };
        if let Some(content) = response.content.shift_remove("application/json") {
            let kind = if is_problem(&content) { problem::CONTENT_TYPE } else { "application/json" };
            response.content.insert(kind.to_owned(), content);
        }
    }
    let error = ResponseBuilder::new()
        .description("Nothing was done, and why.")
        .content(problem::CONTENT_TYPE, Content::new(Some(problem)))
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(error));
}

/// The document as committed: pretty, with a line at the end.
pub fn text() -> Result<String, serde_json::Error> {
    let mut text = crate::router::document().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

/// `GET /api/openapi.json`.
pub async fn serve(State(_): State<App>) -> Response {
    match text() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => crate::ApiError::internal(error.to_string()).into_response(),
    }
}
