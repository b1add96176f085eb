//! Sheets of paper: text at a place, left or right of it, and rules; and the document
//! that they make.

use super::typeface::Typeface;
use crate::error::StatementError;
use pdf_writer::{Content, Pdf, Rect, Ref, Str, TextStr};

/// A4 in points.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
/// Left margin.
pub(super) const LEFT: f32 = 40.0;
/// Where the right margin begins.
pub(super) const RIGHT: f32 = 555.0;
/// First line of text.
pub(super) const TOP: f32 = 52.0;

/// Colours, as red, green, blue.
pub(super) const INK: [u8; 3] = [22, 28, 36];
pub(super) const GREY: [u8; 3] = [96, 104, 116];

const REGULAR: &[u8] = include_bytes!("../../fonts/DejaVuSansCondensed.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/DejaVuSansCondensed-Bold.ttf");

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFORMATION: Ref = Ref::new(3);
const REGULAR_FONT: Ref = Ref::new(10);
const BOLD_FONT: Ref = Ref::new(20);
/// Two references for each page from here on.
const PAGES: i32 = 100;

/// On which side of its place text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The two fonts of a document.
pub(super) struct Fonts {
    regular: Typeface,
    bold: Typeface,
}

impl Fonts {
    /// Those that the binary carries.
    pub(super) fn embedded() -> Result<Self, StatementError> {
        Ok(Self {
            regular: Typeface::new(b"R", b"DejaVuSansCondensed", REGULAR)?,
            bold: Typeface::new(b"B", b"DejaVuSansCondensed-Bold", BOLD)?,
        })
    }
}

/// What the document says of itself.
pub(super) struct About<'a> {
    pub(super) title: &'a str,
    pub(super) author: &'a str,
    /// `en` or `sw`: how it is read aloud.
    pub(super) language: &'a str,
}

/// Puts finished sheets together.
pub(super) fn bind(fonts: &Fonts, about: &About<'_>, sheets: Vec<Vec<u8>>) -> Vec<u8> {
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(TREE).lang(TextStr(about.language));
    pdf.document_info(INFORMATION)
        .title(TextStr(about.title))
        .author(TextStr(about.author))
        .producer(TextStr("Jirani"));
    fonts.regular.embed(&mut pdf, REGULAR_FONT);
    fonts.bold.embed(&mut pdf, BOLD_FONT);
    let pages: Vec<Ref> = (PAGES..).step_by(2).take(sheets.len()).map(Ref::new).collect();
    // A document has at most some hundred pages.
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(TREE).kids(pages.iter().copied()).count(count);
    for (page, content) in pages.into_iter().zip(sheets) {
        let stream = Ref::new(page.get() + 1);
        let mut written = pdf.page(page);
        written.parent(TREE).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(stream);
        let mut resources = written.resources();
        let mut named = resources.fonts();
        named.pair(fonts.regular.name, REGULAR_FONT);
        named.pair(fonts.bold.name, BOLD_FONT);
        drop(named);
        drop(resources);
        drop(written);
        pdf.stream(stream, &content);
    }
    pdf.finish()
}

/// A page being drawn.
pub(super) struct Sheet<'a> {
    content: Content,
    fonts: &'a Fonts,
}

impl<'a> Sheet<'a> {
    /// An empty one.
    pub(super) fn new(fonts: &'a Fonts) -> Self {
        Self { content: Content::new(), fonts }
    }

    /// What was drawn.
    pub(super) fn finish(self) -> Vec<u8> {
        self.content.finish().into_vec()
    }

    /// Text beginning or ending at `x`, on the line `y` from the top.
    pub(super) fn text(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], align: Align, text: &str) {
        draw(&mut self.content, &self.fonts.regular, (x, y), size, colour, align, text);
    }

    /// The same, in bold.
    pub(super) fn bold(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], align: Align, text: &str) {
        draw(&mut self.content, &self.fonts.bold, (x, y), size, colour, align, text);
    }

    /// Text from `x` on, cut with an ellipsis where it would be wider than `width`.
    pub(super) fn text_within(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], text: &str, width: f32) {
        let typeface = &self.fonts.regular;
        let mut cut = typeface.legible(text);
        while typeface.width(&cut, size) > width {
            let kept = cut.trim_end_matches('…').chars().count().saturating_sub(1);
            cut = cut.chars().take(kept).collect::<String>() + "…";
        }
        self.text(x, y, size, colour, Align::Left, &cut);
    }

    /// `text` in lines no wider than `width`.
    pub(super) fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let last = lines.last().cloned().unwrap_or_default();
            let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
            if last.is_empty() || self.fonts.regular.width(&longer, size) <= width {
                lines.pop();
                lines.push(longer);
            } else {
                lines.push(word.to_owned());
            }
        }
        lines
    }

    /// A thin line over the whole width at `y` from the top.
    pub(super) fn rule(&mut self, y: f32) {
        fill(&mut self.content, GREY);
        self.content.rect(LEFT, HEIGHT - y, RIGHT - LEFT, 0.6).fill_nonzero();
    }
}

fn draw(
    content: &mut Content,
    typeface: &Typeface,
    (x, y): (f32, f32),
    size: f32,
    colour: [u8; 3],
    align: Align,
    text: &str,
) {
    if text.is_empty() {
        return;
    }
    let text = typeface.legible(text);
    let x = match align {
        Align::Left => x,
        Align::Right => x - typeface.width(&text, size),
    };
    fill(content, colour);
    content
        .begin_text()
        .set_font(typeface.name, size)
        .next_line(x, HEIGHT - y)
        .show(Str(&typeface.encode(&text)))
        .end_text();
}

fn fill(content: &mut Content, colour: [u8; 3]) {
    let [red, green, blue] = colour.map(|part| f32::from(part) / 255.0);
    content.set_fill_rgb(red, green, blue);
}
