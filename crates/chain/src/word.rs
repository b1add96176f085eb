//! Who waits for a transaction to become final is woken when the node says so, instead
//! of at its next look. Word is never trusted: whoever is woken asks as always.

use crate::client::RpcEnergyChain;
use crate::socket::{Heard, follow};
use serde::Deserialize;
use solana_signature::Signature;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Who waits for what. As many entries as transactions are under way.
#[derive(Default)]
pub(crate) struct Word {
    waiting: Mutex<HashMap<Signature, Arc<Notify>>>,
    heard: AtomicBool,
}

/// Somebody's wait; ends with it.
pub(crate) struct Expected<'a> {
    word: &'a Word,
    signature: Signature,
    notify: Arc<Notify>,
}

/// The part of a `logsNotification` that is read.
#[derive(Deserialize)]
struct Notification {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    result: Told,
}

#[derive(Deserialize)]
struct Told {
    value: Value,
}

#[derive(Deserialize)]
struct Value {
    signature: String,
}

impl Word {
    /// Waits for word of a signature from now on.
    pub(crate) fn expect(&self, signature: Signature) -> Expected<'_> {
        let notify = self.lock().entry(signature).or_default().clone();
        Expected { word: self, signature, notify }
    }

    /// Whether the node is listened to: looks may be rarer then.
    pub(crate) fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    fn hear(&self, heard: Heard<'_>) {
        let Heard::Text(text) = heard else {
            self.heard.store(false, Ordering::Relaxed);
            return;
        };
        let told = serde_json::from_str::<Notification>(text).ok();
        let signature = told.and_then(|told| told.params.result.value.signature.parse::<Signature>().ok());
        match signature {
            Some(signature) => {
                if let Some(waiting) = self.lock().get(&signature) {
                    waiting.notify_one();
                }
            }
            // The answer to subscribing: what became final before it was missed.
            None => {
                if is_subscribed(text) {
                    self.heard.store(true, Ordering::Relaxed);
                    self.lock().values().for_each(|waiting| waiting.notify_one());
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Signature, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text is the answer to a subscription that was taken: its number.
fn is_subscribed(text: &str) -> bool {
    let answer = serde_json::from_str::<serde_json::Value>(text);
    answer.is_ok_and(|answer| answer.get("result").is_some_and(serde_json::Value::is_u64))
}

impl Expected<'_> {
    /// Returns when the node says that the transaction became final, or may have.
    pub(crate) async fn told(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Expected<'_> {
    fn drop(&mut self) {
        self.word.lock().remove(&self.signature);
    }
}

impl RpcEnergyChain {
    /// Listens to the node for ever, where the settings say where.
    pub(crate) async fn listen(&self) {
        match &self.config.ws_url {
            Some(url) => follow(url, &self.program.id, |heard| self.word.hear(heard)).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn notification(signature: &Signature) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","method":"logsNotification","params":{{"subscription":3,"result":{{"context":{{"slot":9}},"value":{{"signature":"{signature}","err":null,"logs":["a"]}}}}}}}}"#
        )
    }

    #[test]
    fn only_who_waits_for_it_is_woken_by_a_word() {
        let word = Word::default();
        let (one, other) = (Signature::from([1; 64]), Signature::from([2; 64]));
        let (first, second) = (word.expect(one), word.expect(other));
        word.hear(Heard::Text(&notification(&one)));
        assert!(first.told().now_or_never().is_some());
        assert!(first.told().now_or_never().is_none(), "once");
        assert!(second.told().now_or_never().is_none());
        drop((first, second));
        assert!(word.lock().is_empty());
        word.hear(Heard::Text(&notification(&one)));
        assert!(word.lock().is_empty(), "nobody waits, nothing is kept");
    }

    #[test]
    fn a_new_connection_wakes_everybody_and_its_end_is_known() {
        let word = Word::default();
        let waiting = word.expect(Signature::from([1; 64]));
        for nonsense in [
            "",
            "{}",
            "[1]",
            r#"{"error":{"code":-32601}}"#,
            r#"{"params":{"result":{"value":{"signature":"x"}}}}"#,
        ] {
            word.hear(Heard::Text(nonsense));
            assert!(!word.is_heard() && waiting.told().now_or_never().is_none(), "{nonsense}");
        }
        word.hear(Heard::Text(r#"{"jsonrpc":"2.0","result":7,"id":1}"#));
        assert!(word.is_heard());
        assert!(waiting.told().now_or_never().is_some());
        word.hear(Heard::Gone);
        assert!(!word.is_heard());
    }
}
