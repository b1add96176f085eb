//! One sheet of paper: text at a place, left or right of it, and rules.

use crate::error::StatementError;
use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::page::{Page, PageSettings};
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

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

/// On which side of its place text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A font, to draw with and to measure by.
struct Typeface {
    font: Font,
    face: ttf_parser::Face<'static>,
}

impl Typeface {
    fn new(bytes: &'static [u8]) -> Result<Self, StatementError> {
        let damaged = || StatementError::NotWritten("the font cannot be read".to_owned());
        Ok(Self {
            font: Font::new(bytes.into(), 0).ok_or_else(damaged)?,
            face: ttf_parser::Face::parse(bytes, 0).map_err(|_| damaged())?,
        })
    }

    /// `text` in letters that the font has: others become a question mark, so that a
    /// name in a foreign script breaks nothing.
    fn legible(&self, text: &str) -> String {
        text.chars()
            .map(|letter| if self.face.glyph_index(letter).is_some() { letter } else { '?' })
            .collect()
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        let units: u32 = text
            .chars()
            .filter_map(|letter| self.face.glyph_index(letter))
            .filter_map(|glyph| self.face.glyph_hor_advance(glyph))
            .map(u32::from)
            .sum();
        #[expect(clippy::cast_precision_loss, reason = "a line of text is far below 2^24 units wide")]
        let units = units as f32;
        units * size / f32::from(self.face.units_per_em())
    }
}

/// The two fonts of a document.
pub(super) struct Fonts {
    regular: Typeface,
    bold: Typeface,
}

impl Fonts {
    /// Those that the binary carries.
    pub(super) fn embedded() -> Result<Self, StatementError> {
        Ok(Self { regular: Typeface::new(REGULAR)?, bold: Typeface::new(BOLD)? })
    }
}

/// A page being drawn.
pub(super) struct Sheet<'a> {
    surface: Surface<'a>,
    fonts: &'a Fonts,
}

/// Draws one page of `document`.
pub(super) fn draw(
    document: &mut Document,
    fonts: &Fonts,
    content: impl FnOnce(&mut Sheet<'_>),
) -> Result<(), StatementError> {
    let settings = PageSettings::from_wh(WIDTH, HEIGHT)
        .ok_or_else(|| StatementError::NotWritten("no such paper".to_owned()))?;
    let mut page: Page<'_> = document.start_page_with(settings);
    // What was drawn is taken over when the surface, then the page, is let go.
    content(&mut Sheet { surface: page.surface(), fonts });
    page.finish();
    Ok(())
}

impl Sheet<'_> {
    /// Text beginning or ending at `x`, on the line `y`.
    pub(super) fn text(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], align: Align, text: &str) {
        self.draw_with(&self.fonts.regular, (x, y), size, colour, align, text);
    }

    /// The same, in bold.
    pub(super) fn bold(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], align: Align, text: &str) {
        self.draw_with(&self.fonts.bold, (x, y), size, colour, align, text);
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

    /// A thin line over the whole width at `y`.
    pub(super) fn rule(&mut self, y: f32) {
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(LEFT, y, RIGHT - LEFT, 0.6) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.surface.set_fill(Some(fill(GREY)));
            self.surface.draw_path(&path);
        }
    }

    fn draw_with(
        &mut self,
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
        self.surface.set_fill(Some(fill(colour)));
        let font = typeface.font.clone();
        self.surface.draw_text(Point::from_xy(x, y), font, size, &text, false, TextDirection::LeftToRight);
    }
}

fn fill([red, green, blue]: [u8; 3]) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::default(),
    }
}
