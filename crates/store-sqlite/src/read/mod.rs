//! Questions, answered from committed data on connections that only read.

pub(crate) mod accounts;
pub(crate) mod affairs;
pub(crate) mod bills;
pub(crate) mod call;
pub(crate) mod chain;
pub(crate) mod finding;
pub(crate) mod handset;
pub(crate) mod index;
pub(crate) mod ledger;
pub(crate) mod market;
pub(crate) mod meters;
pub(crate) mod money;
pub(crate) mod people;
pub(crate) mod readings;
pub(crate) mod reconciliation;
pub(crate) mod slots;
pub(crate) mod tariff;
pub(crate) mod trust;
