//! A node's word over its WebSocket that something of the program's became final.
//!
//! Promises: reconnects for ever, with longer and longer pauses; a connection over which
//! nothing comes, not even an answer to a ping, is given up; messages are bounded. Word
//! may be missed or made up: it only wakes who then asks over JSON-RPC.

use crate::node_url::NodeUrl;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde_json::json;
use solana_address::Address;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::either::Either;

/// Between two connections, first and longest.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_mins(1);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// After so much silence the node is pinged, and after as much again given up.
const SILENCE: Duration = Duration::from_secs(20);
/// Most bytes of a message: the logs of one transaction and some room.
const MESSAGE_MAX: usize = 1 << 20;

/// What happens at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// The node said something.
    Text(&'a str),
    /// The connection ended; word may be missed until the next text.
    Gone,
}

type Socket = WebSocketStream<Either<TcpStream, TlsStream<TcpStream>>>;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum SocketError {
    #[error("the URL is none of a WebSocket (ws:// or wss://)")]
    Url,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    #[error("{0}")]
    WebSocket(#[from] tungstenite::Error),
    #[error("no connection within {} s", CONNECT.as_secs())]
    Late,
}

/// Where a node's subscriptions are by convention: one port above its JSON-RPC, or the
/// same address where the URL names no port. `None` where that is no URL of HTTP.
pub fn subscriptions_of(rpc_url: &NodeUrl) -> Option<NodeUrl> {
    let mut url = rpc_url.parsed().ok()?;
    let scheme = match url.scheme() {
        "http" => "ws",
        "https" => "wss",
        _ => return None,
    };
    if let Some(port) = url.port() {
        url.set_port(Some(port.checked_add(1)?)).ok()?;
    }
    url.set_scheme(scheme).ok()?;
    Some(NodeUrl::from(String::from(url)))
}

/// Hears of every finalised transaction that touched `program`. Never ends by itself.
/// The first text of each connection is the answer to our subscribing: what happened
/// before it was not told.
pub async fn follow(url: &NodeUrl, program: &Address, heard: impl Fn(Heard<'_>)) {
    let mut retry = RETRY_FIRST;
    let mut told = false;
    loop {
        match connect(url).await {
            Ok(socket) => {
                (retry, told) = (RETRY_FIRST, false);
                listen(socket, program, &heard).await;
                heard(Heard::Gone);
            }
            Err(error) => {
                if !told {
                    let error = url.scrub(&error.to_string());
                    tracing::warn!(%url, error, "the node's subscriptions cannot be heard; it is asked instead");
                    told = true;
                }
            }
        }
        tokio::time::sleep(retry).await;
        retry = (retry * 2).min(RETRY_LAST);
    }
}

async fn connect(url: &NodeUrl) -> Result<Socket, SocketError> {
    tokio::time::timeout(CONNECT, connect_now(url)).await.map_err(|_| SocketError::Late)?
}

async fn connect_now(url: &NodeUrl) -> Result<Socket, SocketError> {
    let mut url = url.parsed().map_err(|_| SocketError::Url)?;
    let secure = match url.scheme() {
        "ws" => false,
        "wss" => true,
        _ => return Err(SocketError::Url),
    };
    let authorization = authorization(&mut url)?;
    let host = url.host().ok_or(SocketError::Url)?;
    let port = url.port_or_known_default().ok_or(SocketError::Url)?;
    let (address, name) = match &host {
        url::Host::Domain(name) => {
            ((*name).to_owned(), ServerName::try_from((*name).to_owned()).map_err(|_| SocketError::Url)?)
        }
        url::Host::Ipv4(ip) => (ip.to_string(), ServerName::from(std::net::IpAddr::from(*ip))),
        url::Host::Ipv6(ip) => (ip.to_string(), ServerName::from(std::net::IpAddr::from(*ip))),
    };
    let stream = TcpStream::connect((address.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let stream = if secure {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Either::Right(TlsConnector::from(Arc::new(config)).connect(name, stream).await?)
    } else {
        Either::Left(stream)
    };
    let mut request = url.as_str().into_client_request()?;
    if let Some(value) = authorization {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let bounds =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_MAX)).max_frame_size(Some(MESSAGE_MAX));
    Ok(client_async_with_config(request, stream, Some(bounds)).await?.0)
}

/// What a URL's userinfo means as a header; takes it out of the URL.
fn authorization(url: &mut url::Url) -> Result<Option<HeaderValue>, SocketError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let plain = |text: &str| {
        url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
            .next()
            .map_or_else(String::new, |(name, _)| name.into_owned())
    };
    let credentials = format!("{}:{}", plain(url.username()), plain(url.password().unwrap_or_default()));
    let text = format!("Basic {}", BASE64_STANDARD.encode(credentials));
    let mut value = HeaderValue::try_from(text).map_err(|_| SocketError::Url)?;
    value.set_sensitive(true);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| SocketError::Url)?;
    Ok(Some(value))
}

/// One connection, until it ends.
async fn listen(mut socket: Socket, program: &Address, heard: &impl Fn(Heard<'_>)) {
    let subscribe = json!({
        "jsonrpc": "2.0", "id": 1, "method": "logsSubscribe",
        "params": [{ "mentions": [program.to_string()] }, { "commitment": "finalized" }],
    });
    if socket.send(Message::text(subscribe.to_string())).await.is_err() {
        return;
    }
    let mut pinged = false;
    loop {
        match tokio::time::timeout(SILENCE, socket.next()).await {
            Ok(Some(Ok(message))) => {
                pinged = false;
                // Pings are answered by the socket itself.
                if let Message::Text(text) = &message {
                    heard(Heard::Text(text.as_str()));
                }
            }
            Ok(Some(Err(_)) | None) => return,
            Err(_) if pinged => return,
            Err(_) => {
                pinged = true;
                if socket.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tokio::sync::Notify;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

    #[test]
    fn subscriptions_are_one_port_above_or_at_the_same_address() {
        for (rpc, wanted) in [
            ("http://127.0.0.1:8899", Some("ws://127.0.0.1:8900/")),
            ("https://api.devnet.solana.com", Some("wss://api.devnet.solana.com/")),
            ("https://u:p@node.example:444/KEY?k=1", Some("wss://u:p@node.example:445/KEY?k=1")),
            ("http://127.0.0.1:65535", None),
            ("ftp://node.example", None),
            ("nonsense", None),
        ] {
            let found = subscriptions_of(&NodeUrl::from(rpc));
            assert_eq!(found.as_ref().map(NodeUrl::reveal), wanted, "{rpc}");
        }
    }

    #[tokio::test]
    async fn a_word_is_heard_also_after_the_node_was_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = NodeUrl::from(format!("ws://{}", listener.local_addr().unwrap()));
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
        let (program, wake, gone) = (Address::default(), Notify::new(), Notify::new());
        let heard = |heard: Heard<'_>| match heard {
            Heard::Text(_) => wake.notify_one(),
            Heard::Gone => gone.notify_one(),
        };
        let woken = async {
            wake.notified().await;
            gone.notified().await;
            wake.notified().await;
        };
        tokio::select! {
            () = follow(&url, &program, heard) => {}
            ((), ()) = async { tokio::join!(server, woken) } => {}
        }
    }

    #[tokio::test]
    async fn a_password_in_the_url_becomes_a_header_and_the_rest_stays() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = NodeUrl::from(format!("ws://me:hunter%202@{address}/KEY?k=1"));
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut seen = None;
            #[expect(clippy::result_large_err, reason = "the library's own type")]
            let look = |request: &Request, response: Response| {
                let header =
                    request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
                seen = Some((request.uri().to_string(), header));
                Ok(response)
            };
            tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
            seen.unwrap()
        };
        let (connected, (uri, header)) = tokio::join!(connect(&url), server);
        connected.unwrap();
        assert_eq!(uri, "/KEY?k=1");
        assert_eq!(header.unwrap(), format!("Basic {}", BASE64_STANDARD.encode("me:hunter 2")));
    }

    #[tokio::test]
    async fn over_tls_a_node_that_nobody_vouches_for_is_not_listened_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = NodeUrl::from(format!("wss://{}", listener.local_addr().unwrap()));
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 3];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first).await.unwrap();
            first
        };
        let (connected, first) = tokio::join!(connect(&url), server);
        assert!(connected.is_err());
        // A record of a handshake, TLS 1.0 as every client writes it: nothing goes in the clear.
        assert_eq!(first, [0x16, 3, 1]);
    }
}
