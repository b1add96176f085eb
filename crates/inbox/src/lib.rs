//! M-Pesa's way in: who may call back, how often, and a tiny public role that
//! keeps callbacks for a site server behind a carrier's NAT.
//!
//! Promises: a callback is refused before it is read, or durable before it is
//! answered; the role hands every kept callback over at least once and forgets it
//! only when the site has said that it is on its own disk; nothing here believes
//! a callback. Stands between M-Pesa and the settlement service: the site's own
//! doors use [`Gate`] and [`Door`], the role ([`role`]) and the site's [`Puller`]
//! speak over HTTP (docs/inbox.md).

pub mod cursor;
pub mod door;
pub mod gate;
pub mod puller;
pub mod role;
pub mod sources;
pub mod wire;

pub use door::Door;
pub use gate::{Gate, HookRefusal, Rate, RefusalCount};
pub use puller::{InboxUrlError, Puller, PullerConfig, Receive};
pub use role::{InboxRole, InboxRoleConfig, InboxStartError, RunningInbox};
pub use sources::{Sources, SourcesError};
