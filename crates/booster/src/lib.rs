//! Learns quantiles from tables: gradient boosting of trees over histograms.
//!
//! What it is for: forecasts of sun and load, where the answer is a distribution
//! and the rows are lags, hours and weather. Boosting after Friedman (2001), grown
//! leaf by leaf over at most 255 bins a column as LightGBM does (Ke et al., 2017),
//! one series of trees per level, every leaf set anew to the quantile of what it
//! holds: with the pinball loss's gradient alone, leaves would say by how many rows
//! they are wrong but never by how much.
//!
//! Promises: pure and single-threaded; the same rows, settings and seed give the
//! same model to the bit; missing values (any that are not finite) are rows like
//! others; levels never cross; a model that was stored by another version or was
//! tampered with is refused, never obeyed. Knows nothing of energy: `forecast` makes
//! the rows and says what they mean.

mod bins;
mod error;
mod explain;
mod grow;
mod histogram;
mod level;
mod matrix;
mod model;
mod quantile;
mod quick;
mod random;
mod settings;
mod stored;
mod table;
mod train;
mod tree;

pub use error::BoosterError;
pub use explain::Explanation;
pub use level::Level;
pub use matrix::{COLUMNS_MAX, Matrix, ROWS_MAX};
pub use model::{Model, Rows};
pub use quantile::{pinball, quantile};
pub use settings::Settings;
pub use stored::VERSION;
pub use table::Table;
pub use train::{LEVELS_MAX, train};
