//! A font that the binary carries: measured, written with, and put into the document
//! whole (it is cut down to Latin scripts already), with a map back to letters so that
//! text can be searched and read aloud.

use crate::error::StatementError;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use ttf_parser::Face;

/// Adobe's identity ordering: a character's code is its glyph's number.
const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
/// Units of a PDF font to the em.
const EM: f32 = 1_000.0;

/// One font.
pub(super) struct Typeface {
    /// Its name among a page's fonts.
    pub(super) name: Name<'static>,
    full_name: &'static [u8],
    bytes: &'static [u8],
    face: Face<'static>,
}

impl Typeface {
    /// Reads a font.
    pub(super) fn new(
        name: &'static [u8],
        full_name: &'static [u8],
        bytes: &'static [u8],
    ) -> Result<Self, StatementError> {
        let face = Face::parse(bytes, 0)
            .map_err(|_| StatementError::NotWritten("the font cannot be read".to_owned()))?;
        Ok(Self { name: Name(name), full_name, bytes, face })
    }

    fn glyph(&self, letter: char) -> Option<u16> {
        self.face.glyph_index(letter).map(|glyph| glyph.0)
    }

    /// `text` in letters that the font has: others become a question mark, so that a
    /// name in a foreign script breaks nothing.
    pub(super) fn legible(&self, text: &str) -> String {
        text.chars().map(|letter| if self.glyph(letter).is_some() { letter } else { '?' }).collect()
    }

    fn advance(&self, glyph: u16) -> f32 {
        let units = self.face.glyph_hor_advance(ttf_parser::GlyphId(glyph)).unwrap_or(0);
        f32::from(units) * EM / f32::from(self.face.units_per_em())
    }

    /// How wide `text` is, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().filter_map(|letter| self.glyph(letter)).map(|glyph| self.advance(glyph)).sum::<f32>()
            * size
            / EM
    }

    /// `text` as the numbers of its glyphs, two bytes each.
    pub(super) fn encode(&self, text: &str) -> Vec<u8> {
        text.chars().filter_map(|letter| self.glyph(letter)).flat_map(u16::to_be_bytes).collect()
    }

    /// Puts the font into the document under `id`, using four references after it.
    pub(super) fn embed(&self, pdf: &mut Pdf, id: Ref) {
        let [cid, descriptor, letters, data] = [1, 2, 3, 4].map(|step| Ref::new(id.get() + step));
        let name = Name(self.full_name);
        pdf.type0_font(id)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(cid)
            .to_unicode(letters);
        pdf.cid_font(cid)
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(IDENTITY)
            .font_descriptor(descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"))
            .widths()
            .consecutive(0, (0..self.face.number_of_glyphs()).map(|glyph| self.advance(glyph)));
        let scale = |units: i16| f32::from(units) * EM / f32::from(self.face.units_per_em());
        let edges = self.face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(scale(edges.x_min), scale(edges.y_min), scale(edges.x_max), scale(edges.y_max)))
            .italic_angle(0.0)
            .ascent(scale(self.face.ascender()))
            .descent(scale(self.face.descender()))
            .cap_height(scale(self.face.capital_height().unwrap_or_else(|| self.face.ascender())))
            .stem_v(90.0)
            .font_file2(data);
        pdf.cmap(letters, &self.letters()).name(Name(b"Letters")).system_info(IDENTITY);
        let length = i32::try_from(self.bytes.len()).unwrap_or(i32::MAX);
        pdf.stream(data, self.bytes).pair(Name(b"Length1"), length);
    }

    /// Which letter each glyph stands for.
    fn letters(&self) -> Vec<u8> {
        let mut known = BTreeMap::new();
        let tables = self.face.tables().cmap.into_iter().flat_map(|cmap| cmap.subtables);
        for table in tables.filter(ttf_parser::cmap::Subtable::is_unicode) {
            table.codepoints(|point| {
                if let Some(letter) = char::from_u32(point)
                    && let Some(glyph) = self.glyph(letter)
                {
                    known.entry(glyph).or_insert(letter);
                }
            });
        }
        let mut map: UnicodeCmap<u16> = UnicodeCmap::new(Name(b"Letters"), IDENTITY);
        for (glyph, letter) in known {
            map.pair(glyph, letter);
        }
        map.finish().into_vec()
    }
}
