//! The pages themselves in a real browser: two neighbours trade, one of them withdraws,
//! the operator audits; what a phone loads first; a network that dies. `web/e2e/all.mjs`
//! names the stories; they need Node, the dashboard built (`web/dist`) and a Chromium named
//! by `JIRANI_CHROMIUM`, without which they are skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where it fails")]

mod support;

use std::path::Path;
use std::process::Command;
use support::Running;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_do_what_they_came_for_in_a_browser() {
    let Some(chromium) = std::env::var_os("JIRANI_CHROMIUM") else {
        println!("skipped: JIRANI_CHROMIUM names no Chromium, for example /usr/bin/chromium");
        return;
    };
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web").canonicalize().expect("the web folder");
    let dist = web.join("dist");
    assert!(
        dist.join("index.html").is_file() && web.join("node_modules").is_dir(),
        "build the dashboard first: npm ci && npm run build in {}",
        web.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start_with(
        folder.path(),
        &[
            ("JIRANI__DEMO__TRADE", "false"),
            ("JIRANI__DEMO__SPEED", "600"),
            ("JIRANI__HTTP__WEB_DIR", dist.to_str().unwrap()),
        ],
    )
    .await;

    let mut story = Command::new("node");
    story
        .arg("e2e/all.mjs")
        .current_dir(&web)
        .env("DASHBOARD", &running.dashboard)
        .env("PHONES", &running.phones)
        .env("JIRANI_CHROMIUM", chromium);
    let story = tokio::task::spawn_blocking(move || story.status()).await.unwrap().expect("node runs");
    assert!(story.success(), "web/e2e/all.mjs ended with {story}");

    running.finish(folder.path());
}
