//! A statement as PDF, A4, with its own font: it looks the same on every machine and
//! prints without a network. Text can be searched and read aloud.
//!
//! Floats here are places on the paper, in points; money and energy arrive as text.

mod page;
mod typeface;

use crate::compose::Statement;
use crate::error::StatementError;
use crate::gather::Subject;
use crate::line::Line;
use crate::period::{minute, second};
use crate::words::{Words, what};
use jirani_store::Language;
use jirani_units::{Cents, Timestamp, Wh};
use page::{About, Align, Fonts, GREY, INK, LEFT, RIGHT, Sheet, TOP};

/// The most lines of one PDF; longer ones are for machines, as CSV.
pub const LINES_MAX: usize = 10_000;

/// Lowest point of a table row.
const BOTTOM: f32 = 780.0;
const ROW: f32 = 14.0;
/// Columns of the table: where text begins (left) or ends (right).
const COLUMNS: [(f32, Align); 7] = [
    (LEFT, Align::Left),
    (112.0, Align::Left),
    (342.0, Align::Right),
    (384.0, Align::Right),
    (434.0, Align::Right),
    (484.0, Align::Right),
    (RIGHT, Align::Right),
];
/// How wide a line's words may be.
const WORDS_WIDTH: f32 = 190.0;

/// Writes a statement as PDF.
pub fn write(
    statement: &Statement,
    subject: &Subject,
    language: Language,
    now: Timestamp,
) -> Result<Vec<u8>, StatementError> {
    if statement.lines().len() > LINES_MAX {
        return Err(StatementError::TooLong { limit: LINES_MAX });
    }
    let fonts = Fonts::embedded()?;
    let words = Words::of(language);
    let pages = paginate(statement);
    let mut sheets = Vec::with_capacity(pages.len());
    for (number, lines) in pages.iter().enumerate() {
        let mut sheet = Sheet::new(&fonts);
        let mut y = heading(&mut sheet, subject, words, statement, number == 0, now);
        if number == 0 {
            y = balance_row(&mut sheet, y, words.opening, statement.opening());
        }
        for line in &statement.lines()[lines.clone()] {
            y = line_row(&mut sheet, y, line, language);
        }
        if number + 1 == pages.len() {
            ending(&mut sheet, y, words, statement);
        }
        let (page, of) = words.page;
        let place = format!("{page} {} {of} {}", number + 1, pages.len());
        sheet.text(RIGHT, 820.0, 7.5, GREY, Align::Right, &place);
        let through = format!("{} {}", words.through, statement.through());
        sheet.text(LEFT, 820.0, 7.5, GREY, Align::Left, &through);
        sheets.push(sheet.finish());
    }
    let about = About {
        title: &format!("{} {}", words.title, statement.period()),
        author: &subject.issuer,
        language: if language == Language::Sw { "sw" } else { "en" },
    };
    Ok(page::bind(&fonts, &about, sheets))
}

/// Which lines stand on which page: fewer on the first, and room for the ending.
fn paginate(statement: &Statement) -> Vec<std::ops::Range<usize>> {
    const FIRST: usize = 40;
    const OTHER: usize = 46;
    const ENDING: usize = 8;
    let (count, mut pages, mut from) = (statement.lines().len(), Vec::new(), 0);
    loop {
        let room = if pages.is_empty() { FIRST } else { OTHER };
        let left = count - from;
        if left + ENDING <= room {
            pages.push(from..count);
            return pages;
        }
        let upto = from + left.min(room);
        pages.push(from..upto);
        from = upto;
    }
}

fn heading(
    sheet: &mut Sheet<'_>,
    subject: &Subject,
    words: &Words,
    statement: &Statement,
    first: bool,
    now: Timestamp,
) -> f32 {
    let mut y = TOP;
    sheet.bold(LEFT, y, 15.0, INK, Align::Left, words.title);
    sheet.text(RIGHT, y, 10.0, INK, Align::Right, &subject.issuer);
    if first {
        let (from, to) = statement.period().days();
        let who = format!("{} {}: {}", words.household, subject.household, subject.name);
        sheet.text(LEFT, y + 20.0, 9.5, INK, Align::Left, &who);
        sheet.text(LEFT, y + 34.0, 9.5, INK, Align::Left, &format!("{}: {from} – {to}", words.period));
        sheet.text(RIGHT, y + 34.0, 9.5, GREY, Align::Right, &format!("{} {}", words.made, second(now)));
        y += 36.0;
    }
    y += 24.0;
    let headings =
        [words.time, words.what, words.bought, words.sold, words.money_in, words.money_out, words.balance];
    for ((x, align), heading) in COLUMNS.into_iter().zip(headings) {
        sheet.bold(x, y, 8.0, INK, align, heading);
    }
    for (column, unit) in [(2, "kWh"), (3, "kWh"), (4, "KSh"), (5, "KSh")] {
        sheet.text(COLUMNS[column].0, y + 9.0, 6.5, GREY, Align::Right, unit);
    }
    sheet.rule(y + 13.0);
    y + 13.0 + ROW
}

fn balance_row(sheet: &mut Sheet<'_>, y: f32, words: &str, balance: Cents) -> f32 {
    sheet.bold(COLUMNS[1].0, y, 8.5, INK, Align::Left, words);
    sheet.bold(RIGHT, y, 8.5, INK, Align::Right, &balance.to_string());
    y + ROW
}

fn line_row(sheet: &mut Sheet<'_>, y: f32, line: &Line, language: Language) -> f32 {
    let mut told = what(&line.what, language);
    if let Some(receipt) = &line.receipt {
        told = format!("{told} ({receipt})");
    }
    let cells = [
        minute(line.at),
        String::new(),
        kwh(line.bought),
        kwh(line.sold),
        money(line.money_in()),
        money(line.money_out()),
    ];
    for ((x, align), cell) in COLUMNS.into_iter().zip(&cells) {
        sheet.text(x, y, 8.0, INK, align, cell);
    }
    sheet.text_within(COLUMNS[1].0, y, 8.0, INK, &told, WORDS_WIDTH);
    sheet.text(RIGHT, y, 8.0, INK, Align::Right, &line.balance.to_string());
    debug_assert!(y <= BOTTOM + ROW, "a page holds its lines");
    y + ROW
}

fn ending(sheet: &mut Sheet<'_>, mut y: f32, words: &Words, statement: &Statement) {
    if statement.lines().is_empty() {
        sheet.text(COLUMNS[1].0, y, 8.5, GREY, Align::Left, words.nothing);
        y += ROW;
    }
    sheet.rule(y - 9.0);
    let totals = statement.totals();
    let cells = [kwh(totals.bought), kwh(totals.sold), money(totals.money_in), money(totals.money_out)];
    y += 3.0;
    sheet.bold(COLUMNS[1].0, y, 8.5, INK, Align::Left, words.totals);
    for ((x, align), cell) in COLUMNS.into_iter().skip(2).zip(&cells) {
        sheet.bold(x, y, 8.0, INK, align, cell);
    }
    y = balance_row(sheet, y + ROW, words.closing, statement.closing());
    if statement.held() != Cents::ZERO {
        sheet.text(COLUMNS[1].0, y, 8.0, GREY, Align::Left, words.held);
        sheet.text(RIGHT, y, 8.0, GREY, Align::Right, &statement.held().to_string());
        y += ROW;
    }
    y += 6.0;
    for line in sheet.wrap(words.note, 7.5, RIGHT - LEFT) {
        sheet.text(LEFT, y, 7.5, GREY, Align::Left, &line);
        y += 10.0;
    }
}

/// `1.250`, or nothing.
fn kwh(energy: Wh) -> String {
    if energy == Wh::ZERO { String::new() } else { energy.to_string().trim_end_matches(" kWh").to_owned() }
}

/// `1,234.50`: the heading says the currency; nothing for nothing.
fn money(amount: Cents) -> String {
    if amount == Cents::ZERO { String::new() } else { amount.to_string().replace("KSh ", "") }
}
