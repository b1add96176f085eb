//! The committed OpenAPI document is the one the handlers make.

use std::path::Path;

#[test]
fn the_committed_document_is_the_one_the_handlers_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let made = jirani_api::openapi::text().unwrap();
    if std::env::var_os("JIRANI_UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == committed,
        "web/openapi.json is out of date: run `JIRANI_UPDATE=1 cargo test --release -p jirani-api --test openapi`"
    );
}

/// Generated clients name their operations by it.
#[test]
fn no_two_operations_have_one_name() {
    let document: serde_json::Value = serde_json::from_str(&jirani_api::openapi::text().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<&str> = operations.filter_map(|one| one["operationId"].as_str()).collect();
    names.sort_unstable();
    let twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(names.len() > 50 && twice.is_empty(), "{twice:?}");
}
