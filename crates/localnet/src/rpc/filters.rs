//! Which accounts of a program a caller wants.

use super::error::RpcError;
use crate::tokens;
use solana_rpc_client_api::filter::RpcFilterType;

/// Agave's limit of filters.
const FILTERS_MAX: usize = 4;

/// Filters that have been looked at.
#[derive(Clone, Debug, Default)]
pub struct Filters(Vec<RpcFilterType>);

impl Filters {
    /// Refuses too many filters and those that cannot be read.
    pub fn new(filters: Option<Vec<RpcFilterType>>) -> Result<Self, RpcError> {
        let filters = filters.unwrap_or_default();
        if filters.len() > FILTERS_MAX {
            return Err(RpcError::invalid_params(format!("Too many filters provided; max {FILTERS_MAX}")));
        }
        for filter in &filters {
            filter.verify().map_err(|error| RpcError::invalid_params(format!("Invalid param: {error:?}")))?;
        }
        Ok(Self(filters))
    }

    /// Whether an account's data passes all of them.
    pub fn allow(&self, data: &[u8]) -> bool {
        self.0.iter().all(|filter| match filter {
            RpcFilterType::DataSize(size) => data.len() as u64 == *size,
            RpcFilterType::Memcmp(memcmp) => memcmp.bytes_match(data),
            RpcFilterType::TokenAccountState => tokens::token(data).is_some(),
        })
    }
}
