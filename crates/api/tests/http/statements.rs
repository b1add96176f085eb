//! Documents to download: whose they are, what they say, what they refuse.

use crate::support::{WorldOptions, expect, start};
use reqwest::Method;

#[tokio::test]
async fn a_household_downloads_its_own_statement_in_either_language() {
    let world = start(WorldOptions::default()).await;
    world.give_balance(1, 123_450).await;
    let amina = world.household(1).await;
    for (language, closing) in [("en", "Closing balance"), ("sw", "Salio la mwisho")] {
        let path = format!("/api/v1/me/statement?period=2026-11&format=csv&language={language}");
        let answer = amina.ask(Method::GET, &path).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"jirani-1-2026-11.csv\"");
        let text = answer.text().await.unwrap();
        let last = text.lines().last().unwrap();
        assert!(last.contains(closing) && last.ends_with("\"KSh 1,234.50\""), "{text}");
    }
    let pdf = amina.ask(Method::GET, "/api/v1/me/statement?period=2026-11").await;
    assert_eq!(pdf.headers()["content-type"], "application/pdf");
    let pdf = pdf.bytes().await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let author = b"/Author (Kisiwa mini-grid)";
    assert!(pdf.windows(author.len()).any(|part| part == author), "the site issues it");
    // A neighbour's is the neighbour's.
    let other = world.household(2).await;
    let text = other.ask(Method::GET, "/api/v1/me/statement?period=2026-11&format=csv").await;
    assert!(!text.text().await.unwrap().contains("1,234.50"));
    world.api.stop().await;
}

#[tokio::test]
async fn the_operator_downloads_any_statement_and_the_list_of_sales() {
    let world = start(WorldOptions::default()).await;
    world.give_balance(1, 5_000).await;
    let operator = world.operator().await;
    let path = "/api/v1/operator/households/1/statement?period=2026-11-22&format=csv";
    let text = operator.ask(Method::GET, path).await.text().await.unwrap();
    assert!(text.lines().last().unwrap().ends_with("KSh 50.00"), "{text}");
    let nobody =
        operator.ask(Method::GET, "/api/v1/operator/households/99999/statement?period=2026-11").await;
    assert_eq!(expect(nobody, 404).await["code"], "api.not_found");
    let list = operator.get("/api/v1/operator/tax-export?period=2026-11&format=json").await;
    assert_eq!(list["taxes_account"]["sales_cents"], 0);
    assert_eq!(list["totals"]["all"]["lines"], 0);
    let csv =
        operator.ask(Method::GET, "/api/v1/operator/tax-export?period=2026-11").await.text().await.unwrap();
    assert!(csv.starts_with("sale,settled_at,buyer,seller,seller_kind,"), "{csv}");
    world.api.stop().await;
}

#[tokio::test]
async fn what_is_no_period_or_has_not_begun_is_refused_in_words() {
    let world = start(WorldOptions::default()).await;
    let amina = world.household(1).await;
    for (period, code) in [
        ("2026-13", "statement.invalid_period"),
        ("2020-01-01..2026-01-01", "statement.invalid_period"),
        ("yesterday", "statement.invalid_period"),
        ("2030-01", "statement.in_the_future"),
    ] {
        let path = format!("/api/v1/me/statement?period={period}");
        assert_eq!(expect(amina.ask(Method::GET, &path).await, 422).await["code"], code, "{period}");
    }
    let unknown = amina.ask(Method::GET, "/api/v1/me/statement?period=2026-11&format=docx").await;
    assert_eq!(expect(unknown, 400).await["code"], "api.query_invalid");
    world.api.stop().await;
}
