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
