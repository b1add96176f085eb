//! What is known of a meter's place, and what it said of a stretch of time.

use jirani_units::Timestamp;

/// A home and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Rated power of its panels in W; 0 without.
    pub panels_w: u32,
    /// Most it can export, in W.
    pub export_w: u32,
    /// Most it can import, in W.
    pub import_w: u32,
    /// Whether it has a battery or an engine that may feed the grid.
    pub storage: Storage,
}

/// Whether a home can export what the sun did not give at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Storage {
    /// Nothing but panels.
    #[default]
    None,
    /// A battery or an engine, declared to the operator.
    Declared,
}

/// How much the registers of a meter grew over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its beginning.
    pub start: Timestamp,
    /// Its length in seconds: a slot, or more after a silence.
    pub length_s: u32,
    /// Import.
    pub import_wh: u64,
    /// Export.
    pub export_wh: u64,
    /// Generation; `None` where panels have no meter of their own.
    pub generation_wh: Option<u64>,
}
