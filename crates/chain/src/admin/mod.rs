//! The operator's tools: what an instruction of the admin, the pause key or anybody
//! will do, said before it is done, on any cluster.
//!
//! Planning is pure: Config and accounts in, [`AdminPlan`]s out, everything checked
//! that the program would refuse. [`Operator`] reads, rehearses and sends. A plan is
//! signed once and its bytes are sent until their fate is certain: nothing here is
//! signed a second time by itself, so nothing is done twice. [`report`] is what
//! people and `--json` see.
//!
//! Stands beside the sender of `work`, which needs a store and does one deployment's
//! daily work; these tools need only keys and a URL.

mod configure;
mod deployment;
mod household;
mod initialise;
mod offline;
mod operator;
mod plan;
pub mod report;
mod stop;
mod sweep;

pub use configure::{
    accept_admin, propose_admin, rotate_attestor, rotate_custodian, rotate_oracle, set_caps, set_limits,
    set_pause_key, set_tariff,
};
pub use deployment::{Deployment, Elf};
pub use household::{
    AdjustOrder, FeederAfter, accept_authority, adjust, cancel_authority, close_household, propose_authority,
    reason_hash, replace_meter,
};
pub use initialise::{differences, initialise};
pub use offline::Unsigned;
pub use operator::{Landed, Operator, Prepared, Records};
pub use plan::{AdminError, AdminPlan, Planned};
pub use stop::{hard_stop, lift_hard_stop, pause, resume};
pub use sweep::{close_markers, expire_offers, release_order};

pub use jirani_energy_interface::client::{InitialConfig, Replacement};
pub use jirani_energy_interface::instruction::ReleaseReason;
pub use jirani_energy_interface::state::{
    CappedKey, Caps, Config, Household, Limits, OracleSet, Order, Tariff,
};
