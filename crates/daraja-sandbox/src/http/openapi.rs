//! `GET /openapi.json`: the doors as OpenAPI 3.1, made from the list that the
//! router is made from.

use super::routes::{Door, Field, Kind, Need, doors};
use axum::Json;
use serde_json::{Map, Value, json};

pub async fn description() -> Json<Value> {
    Json(openapi(&doors()))
}

fn openapi(doors: &[Door]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for door in doors {
        let path = paths.entry(door.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(door.method.to_owned(), operation(door));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "M-Pesa emulator",
            "version": "1",
            "description": "Daraja's paths as Safaricom has them, and the emulator's own under /sandbox.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "keys": {"type": "http", "scheme": "basic", "description": "consumer key and secret"},
                "token": {"type": "http", "scheme": "bearer", "description": "from /oauth/v1/generate"},
            },
            "schemas": {
                "DarajaError": error(&["requestId", "errorCode", "errorMessage"]),
                "SandboxError": error(&["code", "message"]),
            },
        },
    })
}

fn error(fields: &[&str]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| ((*field).to_owned(), json!({"type": "string"}))).collect();
    json!({"type": "object", "properties": properties, "required": fields})
}

fn operation(door: &Door) -> Value {
    let page = door.about.starts_with("Page") || matches!(door.about, "Style." | "Script.");
    let own = door.path.starts_with("/sandbox") || door.path == "/openapi.json";
    let (tag, schema) = match (page, own) {
        (true, _) => ("pages", ""),
        (_, true) => ("sandbox", "SandboxError"),
        _ => ("daraja", "DarajaError"),
    };
    let mut operation =
        json!({"summary": door.about, "tags": [tag], "responses": {"200": {"description": "done"}}});
    if tag == "daraja" && !matches!(door.path, "/" | "/favicon.ico") {
        let scheme = if door.path.starts_with("/oauth") { "keys" } else { "token" };
        operation["security"] = json!([{ scheme: [] }]);
    }
    if !schema.is_empty() {
        let reference = format!("#/components/schemas/{schema}");
        operation["responses"]["default"] = json!({
            "description": "refused",
            "content": {"application/json": {"schema": {"$ref": reference}}},
        });
    }
    let variables: Vec<Value> = door
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if !variables.is_empty() {
        operation["parameters"] = variables.into();
    }
    if !door.fields.is_empty() {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": body(door.fields), "example": example(door.fields)}},
        });
    }
    operation
}

fn body(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, kind, _, about)| {
            let types = match kind {
                Kind::Number | Kind::Phone | Kind::Shortcode => json!(["integer", "string"]),
                Kind::Flag => json!("boolean"),
                Kind::Text if is_list(name) => json!(["array", "string"]),
                Kind::Text | Kind::Address => json!("string"),
            };
            ((*name).to_owned(), json!({"type": types, "description": about}))
        })
        .collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.2 == Need::Must).map(|(name, ..)| *name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// The lists of scenarios.
fn is_list(name: &str) -> bool {
    matches!(name, "phone" | "fault" | "step")
}

fn example(fields: &[Field]) -> Value {
    let of = |name: &str, kind: Kind, about: &str| match kind {
        Kind::Number => json!(120),
        Kind::Phone => json!("254712000111"),
        Kind::Shortcode => json!("600966"),
        Kind::Address => json!("http://127.0.0.1:3000/callback"),
        Kind::Flag => json!(true),
        Kind::Text if is_list(name) => json!([]),
        Kind::Text => json!(about.split([',', ';']).next().unwrap_or_default().split(" or ").next()),
    };
    let must = fields.iter().filter(|field| field.2 == Need::Must);
    let example: Map<String, Value> =
        must.map(|(name, kind, _, about)| ((*name).to_owned(), of(name, *kind, about))).collect();
    example.into()
}
