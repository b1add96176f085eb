//! The figures of a trial, for people: one HTML page that needs nothing beside itself.

use crate::plot::{bands, calibration, escaped};
use crate::report::by_horizon;
use crate::score::{Score, score};
use crate::trial::{Method, Trial};
use std::fmt::Write as _;

/// Homes whose bands are shown.
const HOMES_SHOWN: usize = 3;

/// The page.
pub fn page(trial: &Trial, title: &str) -> String {
    let title = escaped(title);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>body{{font-family:system-ui,sans-serif;max-width:48rem;margin:2rem auto}}td,th{{padding:.2rem .8rem;text-align:right}}td:first-child,th:first-child{{text-align:left}}</style></head><body>\n<h1>{title}</h1>\n<p>{} questions to {} homes. Loss: mean pinball at 10, 50 and 90 %, over the mean. Inside: share between 10 and 90 %, 0.80 is right.</p>\n",
        trial.keys.len(),
        trial.homes.len()
    );
    page.push_str("<table><tr><th>over all</th><th>loss</th><th>error</th><th>inside</th></tr>\n");
    for method in Method::ALL {
        row(&mut page, method.name(), &score(trial, method, |_| true));
    }
    page.push_str("</table>\n<h2>By hours ahead</h2>\n<table><tr><th>up to</th><th>loss</th><th>error</th><th>inside</th></tr>\n");
    for method in Method::ALL {
        for (hours, score) in by_horizon(trial, method) {
            row(&mut page, &format!("{}, {hours} h", method.name()), &score);
        }
    }
    page.push_str("</table>\n");
    page.push_str(&calibration(trial));
    let mut homes: Vec<usize> = trial.keys.iter().map(|key| key.home).collect();
    homes.sort_unstable();
    homes.dedup();
    for home in homes.into_iter().take(HOMES_SHOWN) {
        page.push_str(&bands(trial, Method::Learned, home));
    }
    page.push_str("</body></html>\n");
    page
}

fn row(page: &mut String, name: &str, score: &Score) {
    let _ = writeln!(
        page,
        "<tr><td>{name}</td><td>{:.4}</td><td>{:.3}</td><td>{:.2}</td></tr>",
        score.normalised_pinball, score.normalised_error, score.coverage_80
    );
}
