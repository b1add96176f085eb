//! The dashboard's files.

use crate::support::{WorldOptions, start};
use reqwest::Method;
use std::path::Path;

fn build(folder: &Path) {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("index.html", "<!doctype html><style>body{margin:0}</style><p>household");
    write("ops.html", "<!doctype html><p>operator");
    write("sw.js", "// worker");
    write("assets/app-1a2b.js", "let plain = 1;");
    write("assets/app-1a2b.js.br", "as if brotli");
    write("assets/app-1a2b.js.gz", "as if gzip");
}

#[tokio::test]
async fn pages_are_fresh_assets_last_and_only_pages_fall_back() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let world =
        start(WorldOptions { web_dir: Some(folder.path().to_owned()), ..WorldOptions::default() }).await;
    let navigation = "text/html,application/xhtml+xml";
    for (path, accept, status, cache, part) in [
        ("/", "*/*", 200, "no-cache", "household"),
        ("/", navigation, 200, "no-cache", "household"),
        ("/ops", navigation, 200, "no-cache", "operator"),
        ("/ops/payments", navigation, 200, "no-cache", "operator"),
        ("/pay/17", navigation, 200, "no-cache", "household"),
        ("/sw.js", "*/*", 200, "no-cache", "worker"),
        ("/assets/app-1a2b.js", "*/*", 200, "public, max-age=31536000, immutable", "plain"),
        ("/assets/app-gone.js", "*/*", 404, "", "api.not_found"),
        ("/../Cargo.toml", "*/*", 404, "", "api.not_found"),
        ("/%2e%2e/%2e%2e/etc/passwd", "*/*", 404, "", "api.not_found"),
        ("/api/nothing", navigation, 404, "no-store", "api.no_such_route"),
    ] {
        let response =
            world.nobody().request(Method::GET, path).header("accept", accept).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.headers()["referrer-policy"], "same-origin");
        if !cache.is_empty() {
            assert_eq!(response.headers()["cache-control"], cache, "{path}");
        }
        if status == 200 {
            let policy = response.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'self'"), "{policy}");
            assert!(policy.contains("style-src 'self' 'sha256-") && !policy.contains("unsafe"), "{policy}");
        }
        let text = response.text().await.unwrap();
        assert!(text.contains(part), "{path}: {text}");
    }
}

#[tokio::test]
async fn files_compressed_at_build_are_sent_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let world =
        start(WorldOptions { web_dir: Some(folder.path().to_owned()), ..WorldOptions::default() }).await;
    for (accepted, encoding, text) in [("br, gzip", "br", "as if brotli"), ("gzip", "gzip", "as if gzip")] {
        let request =
            world.nobody().request(Method::GET, "/assets/app-1a2b.js").header("accept-encoding", accepted);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], encoding);
        assert_eq!(response.text().await.unwrap(), text);
    }
}

#[tokio::test]
async fn without_files_a_page_says_how_to_build_them() {
    let world = start(WorldOptions::default()).await;
    let page = world.nobody().ask(Method::GET, "/").await.text().await.unwrap();
    assert!(page.contains("npm run build"), "{page}");
    assert_eq!(world.nobody().ask(Method::GET, "/assets/app.js").await.status(), 404);
    assert_eq!(world.nobody().ask(Method::POST, "/").await.status(), 405);
}

#[tokio::test]
async fn the_document_is_served() {
    let world = start(WorldOptions::default()).await;
    let document = world.nobody().get("/api/openapi.json").await;
    assert_eq!(document["info"]["title"], "Jirani");
    assert_eq!(document["paths"]["/api/v1/me/orders"]["post"]["operationId"], "place_order");
}
