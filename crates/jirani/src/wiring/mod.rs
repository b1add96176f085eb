//! Puts the parts together, in the order in which they need each other.
//!
//! Embedded parts (chain, M-Pesa, broker) stand where no address of an outside one
//! is set; nothing above them can tell the difference.

mod accounts;
mod auditor;
mod bridge;
mod doors;
mod embedded;
mod enrolment;
mod external;
mod firmware;
mod folder;
mod inbox;
mod node;
mod phones;
mod registration;
mod secrets;
mod site_chain;
mod store;
mod system;
mod tasks;
mod village;
mod weather;
mod witness;

pub use accounts::acts_key;
pub use auditor::LiveAuditor;
pub use bridge::bridge_key;
pub use embedded::{ELF, local_program, localnet_config, open_chain, program};
pub use external::refuse_shared_keys;
pub use folder::{DataFolder, Keeps};
pub use node::open_node;
pub use secrets::Secrets;
pub use store::{AnyStore, Database, claim};
pub use system::{Purpose, System};
pub use village::{Phones, VillageOptions};
pub use witness::{examination, look_at_witness};
