//! Plots as SVG: bands of days, reliability, loss by horizon. Made by hand, for three
//! plain plots need no library, and the same answers give the same bytes.

use crate::score::reliability;
use crate::trial::{Key, Method, Trial};
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const MARGIN: f64 = 48.0;
/// The most slots that a plot of bands shows.
const SLOTS_SHOWN: usize = 480;

/// Text as it may stand in SVG and HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Plot {
    svg: String,
    from: (f64, f64),
    to: (f64, f64),
}

impl Plot {
    fn new(title: &str, from: (f64, f64), to: (f64, f64)) -> Self {
        let title = escaped(title);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#1b1b1b\"><title>{title}</title><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/><text x=\"16\" y=\"20\" font-size=\"15\" font-weight=\"600\">{title}</text>\n"
        );
        let to = (
            if to.0 > from.0 { to.0 } else { from.0 + 1.0 },
            if to.1 > from.1 { to.1 } else { from.1 + 1.0 },
        );
        Self { svg, from, to }
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let across = (x - self.from.0) / (self.to.0 - self.from.0);
        let up = (y - self.from.1) / (self.to.1 - self.from.1);
        (MARGIN + across * (WIDTH - 2.0 * MARGIN), HEIGHT - MARGIN / 1.5 - up * (HEIGHT - 2.0 * MARGIN))
    }

    fn path(&mut self, points: impl Iterator<Item = (f64, f64)>, style: &str) {
        let mut path = String::new();
        for point in points {
            let (x, y) = self.place(point);
            let _ = write!(path, "{}{x:.1},{y:.1}", if path.is_empty() { "M" } else { "L" });
        }
        let _ = writeln!(self.svg, "<path d=\"{path}\" {style}/>");
    }

    fn text(&mut self, at: (f64, f64), text: &str) {
        let (x, y) = self.place(at);
        let text = escaped(text);
        let _ = writeln!(self.svg, "<text x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

#[expect(clippy::cast_precision_loss, reason = "places in a plot")]
const fn place(number: usize) -> f64 {
    number as f64
}

/// The first days of one home: the widest band, the half, the middle, and what came.
pub fn bands(trial: &Trial, method: Method, home: usize) -> String {
    let first = |key: &Key| key.home == home && key.ahead * i64::from(trial.step_s) < 86_400;
    let shown: Vec<usize> =
        (0..trial.keys.len()).filter(|at| first(&trial.keys[*at])).take(SLOTS_SHOWN).collect();
    let top = shown
        .iter()
        .map(|at| trial.answer(method, *at).last().copied().unwrap_or(0.0).max(trial.keys[*at].truth))
        .fold(0.0, f32::max);
    let name = trial.homes.get(home).map_or("", String::as_str);
    let title = format!("{name}: {} and what came, Wh a slot", method.name());
    let mut plot = Plot::new(&title, (0.0, 0.0), (place(shown.len()), f64::from(top)));
    let levels = trial.levels.len();
    let series = |level: usize| {
        shown.iter().enumerate().map(move |(x, at)| {
            (place(x), f64::from(trial.answer(method, *at).get(level).copied().unwrap_or(0.0)))
        })
    };
    for (depth, colour) in [(0, "#cfe3e7"), (levels / 3, "#8fbfc9")] {
        let high: Vec<(f64, f64)> = series(levels - 1 - depth).collect();
        plot.path(series(depth).chain(high.into_iter().rev()), &format!("fill=\"{colour}\" stroke=\"none\""));
    }
    plot.path(series(levels / 2), "fill=\"none\" stroke=\"#16697a\" stroke-width=\"1.5\"");
    let came = shown.iter().enumerate().map(|(x, at)| (place(x), f64::from(trial.keys[*at].truth)));
    plot.path(came, "fill=\"none\" stroke=\"#e4572e\" stroke-width=\"1\"");
    plot.text((0.0, f64::from(top)), &format!("{top:.0} Wh"));
    plot.finish()
}

/// How often what came was at or below each level, against how often it should have been.
pub fn calibration(trial: &Trial) -> String {
    let mut plot = Plot::new("Reliability: said and found", (0.0, 0.0), (1.0, 1.0));
    plot.path([(0.0, 0.0), (1.0, 1.0)].into_iter(), "fill=\"none\" stroke=\"#999\" stroke-dasharray=\"4 4\"");
    for (method, colour) in Method::ALL.into_iter().zip(["#bbb", "#f2b134", "#16697a"]) {
        let found = reliability(trial, method);
        let points = found.iter().filter(|(_, share)| share.is_finite());
        plot.path(
            points.map(|(level, share)| (level.share(), *share)),
            &format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\""),
        );
    }
    for (line, method) in Method::ALL.into_iter().enumerate() {
        let colour = ["grey", "yellow", "blue"][line];
        plot.text((0.02, 0.95 - 0.1 * place(line)), &format!("{colour}: {}", method.name()));
    }
    plot.finish()
}
