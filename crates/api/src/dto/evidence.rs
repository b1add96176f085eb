//! Files of evidence, and what was refused.

use super::Time;
use jirani_store::{RefusalCount, SegmentRecord};
use jirani_units::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The hash-chained files of what meters signed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvidenceView {
    /// Readings in them.
    pub readings: u64,
    /// The chain's hash at their end, hexadecimal; null before the first.
    pub head: Option<String>,
    /// The newest, newest first.
    pub segments: Vec<SegmentView>,
}

/// One file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SegmentView {
    /// 1, 2, 3, ...
    pub number: u64,
    /// Place of its first reading in the order of all, from 1.
    pub first: u64,
    /// Readings in it.
    pub readings: u64,
    /// Its size.
    pub size_bytes: u64,
    /// The chain's hash at its end, hexadecimal.
    pub hash: String,
    /// When it was sealed; null while it is written.
    pub sealed_at: Option<Time>,
}

impl From<SegmentRecord> for SegmentView {
    fn from(segment: SegmentRecord) -> Self {
        Self {
            number: segment.number,
            first: segment.first,
            readings: segment.records,
            size_bytes: segment.bytes,
            hash: segment.hash,
            sealed_at: segment.sealed_at_us.map(|at| Timestamp(at).into()),
        }
    }
}

/// How often a meter's messages were refused for one reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusalView {
    /// The meter that was named; null for what named none.
    pub meter_id: Option<String>,
    /// Stable reason code.
    pub code: String,
    /// How often.
    pub count: u64,
}

impl From<RefusalCount> for RefusalView {
    fn from(RefusalCount { meter, code, count }: RefusalCount) -> Self {
        Self { meter_id: meter, code, count }
    }
}
