//! From stored records to what screens show.

pub mod bills;
pub mod days;
pub mod desk;
pub mod document;
pub mod energy;
pub mod feed;
pub mod movements;
pub mod nairobi;
pub mod names;
pub mod order;
pub mod overview;
pub mod recent;
pub mod tally;
