//! Word from the node that something of the program's became final. It may be missed:
//! it only wakes who then reads the list.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use solana_address::Address;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// Between two tries, first and longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_mins(1);

/// Where a node's subscriptions are by convention: one port above its JSON-RPC. `None`
/// where that is over TLS, which this does not speak: such a node is only looked at.
pub fn subscriptions_of(rpc_url: &str) -> Option<String> {
    let mut url = url::Url::parse(rpc_url).ok().filter(|url| url.scheme() == "http")?;
    let port = url.port_or_known_default()?.checked_add(1)?;
    url.set_scheme("ws").ok()?;
    url.set_port(Some(port)).ok()?;
    Some(url.into())
}

/// Wakes with every word, and after every new connection, since words were missed
/// before it. Never ends by itself.
pub async fn follow(url: &str, program: &Address, wake: &Notify) {
    let mut retry = RETRY_FIRST;
    loop {
        if listen(url, program, wake).await.is_some() {
            retry = RETRY_FIRST;
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(RETRY_LAST);
    }
}

/// One connection, until it ends; `None` when there was none.
async fn listen(url: &str, program: &Address, wake: &Notify) -> Option<()> {
    let (mut socket, _) = connect_async(url).await.ok()?;
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 1, "method": "logsSubscribe",
        "params": [{ "mentions": [program.to_string()] }, { "commitment": "finalized" }],
    });
    socket.send(Message::text(subscribe.to_string())).await.ok()?;
    while let Some(Ok(message)) = socket.next().await {
        // Pings are answered by the socket itself.
        if message.is_text() {
            wake.notify_one();
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_one_port_above() {
        assert_eq!(subscriptions_of("http://127.0.0.1:8899").as_deref(), Some("ws://127.0.0.1:8900/"));
        assert_eq!(subscriptions_of("https://api.devnet.solana.com"), None);
        assert_eq!(subscriptions_of("nonsense"), None);
    }

    #[tokio::test]
    async fn a_word_wakes_also_after_the_node_was_away() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let server = async {
            for _ in 0..2 {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                let asked = socket.next().await.unwrap().unwrap().into_text().unwrap();
                assert!(asked.contains("logsSubscribe") && asked.contains("finalized"), "{asked}");
                socket.send(Message::text("{}")).await.unwrap();
                // And goes away.
            }
        };
        let (program, wake) = (Address::default(), Notify::new());
        let woken = async {
            wake.notified().await;
            wake.notified().await;
        };
        tokio::select! {
            () = follow(&url, &program, &wake) => {}
            ((), ()) = async { tokio::join!(server, woken) } => {}
        }
    }
}
