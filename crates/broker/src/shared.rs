//! Which gateway gets a message when several share a subscription.

use async_trait::async_trait;
use rmqtt::context::ServerContext;
use rmqtt::subscribe::SharedSubscription;
use rmqtt::types::{
    ClientId, Id, IsOnline, NodeId, SharedGroup, SubscriptionIdentifier, SubscriptionOptions, TopicName,
};
use sha2::{Digest as _, Sha256};

/// A meter's messages go to one gateway as long as it is there, so that they stay in
/// order; the meters of one that goes away are shared among the others, and nobody
/// else's move (rendezvous hashing).
pub(crate) struct ByTopic;

#[async_trait]
impl SharedSubscription for ByTopic {
    fn is_supported(&self) -> bool {
        true
    }

    async fn choice(
        &self,
        _context: &ServerContext,
        _group: &SharedGroup,
        _publisher: &Id,
        topic: &TopicName,
        gateways: &[(
            NodeId,
            ClientId,
            SubscriptionOptions,
            Option<Vec<SubscriptionIdentifier>>,
            Option<IsOnline>,
        )],
    ) -> Option<(usize, IsOnline)> {
        let places = gateways.iter().enumerate();
        let (place, gateway) = places.max_by_key(|(_, (_, client, _, _, online))| {
            // Whoever is there comes before all who are not: their sessions wait for them.
            (online.unwrap_or(true), weight(topic, client))
        })?;
        Some((place, gateway.4.unwrap_or(true)))
    }
}

fn weight(topic: &str, client: &str) -> [u8; 32] {
    Sha256::new().chain_update(topic).chain_update([0]).chain_update(client).finalize().into()
}
