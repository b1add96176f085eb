//! Who may connect, publish and subscribe.

use crate::device::{BRIDGE, DeviceId, RETAINED_MAX, bridge_password, device_password, is_devices};
use crate::doors::Doors;
use crate::refusals::{
    FLOOD, FOREIGN_CLIENT_ID, FOREIGN_FILTER, FOREIGN_TOPIC, NOT_LET_IN, Refusals, SHUT_OUT,
};
use crate::running::Limits;
use async_trait::async_trait;
use hmac::{Hmac, Mac as _};
use jirani_units::MeterId;
use rmqtt::codec::types::Publish as CodecPublish;
use rmqtt::codec::v5::SubscribeAckReason;
use rmqtt::hook::{Handler, HookResult, Parameter, ReturnType};
use rmqtt::types::{AuthResult, ConnectInfo, Id, LastWill, PublishAclResult, Subscribe, SubscribeAclResult};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use subtle::ConstantTimeEq as _;

/// User name of the gateway. Its client ids are this, or begin with this and `-`.
pub const GATEWAY: &str = "gateway";

/// Most bytes of a meter's question for a piece of firmware.
const WANT_BYTES: usize = 24;
/// Most bytes of a meter's answer to a challenge.
const CLAIM_BYTES: usize = 256;

/// The MQTT password of a meter: HMAC-SHA256 of its name under the deployment's
/// secret, as 64 lower-case hexadecimal digits.
pub fn meter_password(secret: &[u8; 32], meter: MeterId) -> String {
    // INVARIANT: HMAC takes a key of any length.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"jirani/mqtt-password/1");
    mac.update(&meter.0);
    hex::encode(mac.finalize().into_bytes())
}

/// Who a client is, as its connection proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Client {
    Gateway,
    Meter(MeterId),
    Bridge,
    Device(DeviceId),
}

impl Client {
    fn is_shut_out(self, doors: &Doors) -> bool {
        matches!(self, Self::Meter(meter) if doors.are_shut_to(meter))
    }
}

pub(crate) struct Access {
    pub(crate) gateway_password: String,
    pub(crate) meter_secret: [u8; 32],
    pub(crate) limits: Limits,
    pub(crate) doors: Doors,
    /// Message budgets by meter. They outlive connections, or connecting again
    /// would fill them; only meters that have a password are ever in here.
    pub(crate) budgets: Mutex<HashMap<MeterId, Budget>>,
    /// Topics that devices have had retained.
    pub(crate) retained: Mutex<HashMap<MeterId, HashSet<String>>>,
    pub(crate) refusals: Refusals,
}

/// A bucket of messages that fills with time.
pub(crate) struct Budget {
    left: f64,
    at: Instant,
}

impl Access {
    /// The client that this name would be; nothing is proven by it.
    fn named(client_id: &str, username: &str) -> Option<Client> {
        for (name, own) in [(GATEWAY, Client::Gateway), (BRIDGE, Client::Bridge)] {
            if username == name {
                let rest = client_id.strip_prefix(name)?;
                return (rest.is_empty() || rest.starts_with('-')).then_some(own);
            }
        }
        // Nobody may take another's session by calling itself like it.
        if client_id != username {
            return None;
        }
        if let Some(device) = DeviceId::of_user(username) {
            return Some(Client::Device(device));
        }
        username.parse().ok().map(Client::Meter)
    }

    fn client(id: &Id) -> Option<Client> {
        Self::named(&id.client_id, id.username.as_deref()?)
    }

    fn authenticate(&self, connect: &ConnectInfo) -> AuthResult {
        let username = connect.username().map_or("", |name| name.as_ref());
        let Some(client) = Self::named(connect.client_id(), username) else {
            return AuthResult::NotAuthorized;
        };
        let expected = match client {
            Client::Gateway => self.gateway_password.clone(),
            Client::Meter(meter) => meter_password(&self.meter_secret, meter),
            Client::Bridge => bridge_password(&self.meter_secret),
            Client::Device(device) => device_password(&self.meter_secret, device.as_str()),
        };
        let given = connect.password().map_or(&[][..], |password| password.as_ref());
        // Digests have one length, so the time tells nothing of the password's.
        if !bool::from(Sha256::digest(given).ct_eq(&Sha256::digest(expected.as_bytes()))) {
            return AuthResult::BadUsernameOrPassword;
        }
        if client.is_shut_out(&self.doors) {
            return AuthResult::NotAuthorized;
        }
        if let Some(will) = connect.last_will() {
            let (topic, size, retain) = match will {
                LastWill::V3(will) => (&will.topic, will.message.len(), will.retain),
                LastWill::V5(will) => (&will.topic, will.message.len(), will.retain),
            };
            let allowed = match client {
                Client::Gateway => true,
                Client::Meter(meter) => *topic == format!("v1/{meter}/status"),
                Client::Device(device) => self.device_may_say(device, topic, retain),
                Client::Bridge => false,
            };
            if !allowed || (client != Client::Gateway && size > self.limits.status_bytes) {
                return AuthResult::NotAuthorized;
            }
        }
        AuthResult::Allow(false, None)
    }

    fn may_publish(&self, client: Client, publish: &CodecPublish) -> bool {
        if let Client::Device(device) = client {
            return self.device_may_say(device, &publish.topic, publish.retain);
        }
        let Some((meter, leaf)) = meter_topic(&publish.topic) else { return false };
        match client {
            Client::Bridge | Client::Device(_) => false,
            Client::Gateway => matches!(leaf, "ack" | "cmd" | "fw") && !publish.retain,
            Client::Meter(own) if own != meter => false,
            Client::Meter(_) => match leaf {
                "up" => !publish.retain,
                "want" => !publish.retain && publish.payload.len() <= WANT_BYTES,
                "status" => publish.payload.len() <= self.limits.status_bytes,
                "claim" => !publish.retain && publish.payload.len() <= CLAIM_BYTES,
                _ => false,
            },
        }
    }

    /// Under its own prefix; retained on a bounded number of topics.
    fn device_may_say(&self, device: DeviceId, topic: &str, retain: bool) -> bool {
        if !device.owns(topic) || topic.contains(['+', '#']) {
            return false;
        }
        if !retain {
            return true;
        }
        let mut retained = self.retained.lock().unwrap_or_else(PoisonError::into_inner);
        let topics = retained.entry(MeterId(device.budget())).or_default();
        topics.contains(topic) || (topics.len() < RETAINED_MAX && topics.insert(topic.to_owned()))
    }

    fn may_subscribe(client: Client, filter: &str) -> bool {
        match client {
            Client::Gateway => {
                matches!(filter, "v1/+/up" | "v1/+/status" | "v1/+/claim" | "v1/+/want")
                    || meter_topic(filter).is_some_and(|(_, leaf)| matches!(leaf, "up" | "status" | "claim"))
            }
            Client::Bridge => is_devices(filter),
            Client::Device(own) => own.owns(filter),
            Client::Meter(own) => meter_topic(filter)
                .is_some_and(|(meter, leaf)| meter == own && matches!(leaf, "ack" | "cmd" | "fw")),
        }
    }

    fn within_budget(&self, client: Client) -> bool {
        let meter = match client {
            Client::Gateway | Client::Bridge => return true,
            Client::Meter(meter) => meter,
            Client::Device(device) => MeterId(device.budget()),
        };
        let (rate, burst) = (f64::from(self.limits.messages_per_s), f64::from(self.limits.messages_burst));
        let now = Instant::now();
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budgets.entry(meter).or_insert(Budget { left: burst, at: now });
        let refill = now.duration_since(budget.at).as_secs_f64() * rate;
        *budget = Budget { left: (budget.left + refill).min(burst), at: now };
        if budget.left < 1.0 {
            return false;
        }
        budget.left -= 1.0;
        true
    }
}

/// The meter that a connected client is.
fn named_meter(id: &Id) -> Option<MeterId> {
    id.username.as_deref()?.parse().ok()
}

fn meter_topic(topic: &str) -> Option<(MeterId, &str)> {
    let (meter, leaf) = topic.strip_prefix("v1/")?.split_once('/')?;
    Some((meter.parse().ok()?, leaf))
}

/// The rules as the broker's hooks call them.
pub(crate) struct Hooks(pub(crate) std::sync::Arc<Access>);

impl Hooks {
    fn publish(&self, id: &Id, publish: &CodecPublish) -> PublishAclResult {
        // MQTT 3.1.1 has no word for "refused", so the connection ends: a meter
        // must never believe that what was dropped has been taken.
        let refused = |code: &'static str, why: &str| {
            self.0.refusals.count(named_meter(id), code);
            tracing::warn!(client = %id.client_id, topic = %publish.topic, code, "publish refused: {why}");
            PublishAclResult::rejected(true, Some(why.into()))
        };
        match Access::client(id) {
            Some(client) if !self.0.may_publish(client, publish) => {
                refused(FOREIGN_TOPIC, "not this client's topic")
            }
            Some(client) if client.is_shut_out(&self.0.doors) => refused(SHUT_OUT, "its time is over"),
            Some(client) if !self.0.within_budget(client) => refused(FLOOD, "too many messages"),
            Some(_) => PublishAclResult::allow(),
            None => refused(NOT_LET_IN, "unknown client"),
        }
    }

    fn subscribe(&self, id: &Id, subscribe: &Subscribe) -> SubscribeAclResult {
        let allowed =
            Access::client(id).is_some_and(|client| Access::may_subscribe(client, &subscribe.topic_filter));
        if allowed {
            return SubscribeAclResult::new_success(subscribe.opts.qos(), None);
        }
        self.0.refusals.count(named_meter(id), FOREIGN_FILTER);
        tracing::warn!(client = %id.client_id, filter = %subscribe.topic_filter, "subscription refused");
        SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
    }
}

#[async_trait]
impl Handler for Hooks {
    async fn hook(&self, parameter: &Parameter, so_far: Option<HookResult>) -> ReturnType {
        match parameter {
            Parameter::ClientAuthenticate(connect) => {
                let result = self.0.authenticate(connect);
                if !matches!(result, AuthResult::Allow(..)) {
                    let username = connect.username().map_or("", |name| name.as_ref());
                    let meter = username.parse::<MeterId>().ok();
                    let is_foreign = meter.is_some() && *connect.client_id() != *username;
                    let is_shut_out = meter.is_some_and(|meter| self.0.doors.are_shut_to(meter));
                    let code = match (is_foreign, is_shut_out) {
                        (true, _) => FOREIGN_CLIENT_ID,
                        (false, true) => SHUT_OUT,
                        (false, false) => NOT_LET_IN,
                    };
                    self.0.refusals.count(meter, code);
                    tracing::warn!(client = %connect.client_id(), "connection refused: {result:?}");
                }
                (false, Some(HookResult::AuthResult(result)))
            }
            Parameter::MessagePublishCheckAcl(session, publish) => {
                (false, Some(HookResult::PublishAclResult(self.publish(&session.id, publish))))
            }
            Parameter::ClientSubscribeCheckAcl(session, subscribe) => {
                (false, Some(HookResult::SubscribeAclResult(self.subscribe(&session.id, subscribe))))
            }
            _ => (true, so_far),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_by_meter_and_by_secret() {
        let (a, b) = (MeterId([1; 16]), MeterId([2; 16]));
        assert_eq!(meter_password(&[0; 32], a).len(), 64);
        assert_ne!(meter_password(&[0; 32], a), meter_password(&[0; 32], b));
        assert_ne!(meter_password(&[0; 32], a), meter_password(&[1; 32], a));
    }

    #[test]
    fn a_name_is_a_meter_a_gateway_or_nobody() {
        let meter = MeterId([0xab; 16]);
        let text = meter.to_string();
        assert_eq!(Access::named(&text, &text), Some(Client::Meter(meter)));
        assert_eq!(Access::named("gateway", "gateway"), Some(Client::Gateway));
        assert_eq!(Access::named("gateway-2", "gateway"), Some(Client::Gateway));
        assert_eq!(Access::named("bridge-2", "bridge"), Some(Client::Bridge));
        for (client_id, username) in [
            ("gatewayx", "gateway"),
            ("x", "gateway"),
            ("gateway-2", "bridge"),
            ("bridge", "gateway"),
            ("x", text.as_str()),
            (&text, "admin"),
            ("", ""),
        ] {
            assert_eq!(Access::named(client_id, username), None, "{client_id} {username}");
        }
    }

    #[test]
    fn filters_that_reach_beyond_the_own_prefix_are_refused() {
        let meter = Client::Meter(MeterId([1; 16]));
        let own = MeterId([1; 16]);
        assert!(Access::may_subscribe(meter, &format!("v1/{own}/ack")));
        assert!(Access::may_subscribe(meter, &format!("v1/{own}/cmd")));
        for filter in ["#", "v1/#", "v1/+/ack", "v1/+/up", "$SYS/#", "", "v1//ack"] {
            assert!(!Access::may_subscribe(meter, filter), "{filter}");
        }
        assert!(Access::may_subscribe(meter, &format!("v1/{own}/fw")));
        for filter in ["v1/+/up", "v1/+/claim", "v1/+/want", &format!("v1/{own}/up")] {
            assert!(Access::may_subscribe(Client::Gateway, filter), "{filter}");
        }
        for filter in ["#", "v1/#", "v1/+/ack", &format!("v1/{own}/cmd")] {
            assert!(!Access::may_subscribe(Client::Gateway, filter), "{filter}");
        }
        let foreign = MeterId([2; 16]);
        assert!(!Access::may_subscribe(meter, &format!("v1/{foreign}/ack")));
        assert!(!Access::may_subscribe(meter, &format!("v1/{own}/ack/x")));
    }
}
