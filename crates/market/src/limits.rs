//! Limits on orders and offers.
