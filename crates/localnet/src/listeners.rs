//! The two neighbouring ports of a node: HTTP on N, WebSocket on N + 1, where every
//! client looks for it.

use crate::LocalnetError;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// How many free ports are tried until the one above is free, too.
const TRIES: usize = 64;

/// Binds a port and the one above it; port 0 takes any.
pub async fn bind(listen: SocketAddr) -> Result<(TcpListener, TcpListener), LocalnetError> {
    let mut tries = if listen.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        let failed = |addr| move |source| LocalnetError::Bind { addr, source };
        let http = TcpListener::bind(listen).await.map_err(failed(listen))?;
        let bound = http.local_addr().map_err(failed(listen))?;
        let Some(next) = bound.port().checked_add(1) else {
            if tries > 0 {
                continue;
            }
            let source = std::io::Error::other("there is no port above it for WebSocket");
            return Err(LocalnetError::Bind { addr: bound, source });
        };
        let above = SocketAddr::new(bound.ip(), next);
        match TcpListener::bind(above).await {
            Ok(websocket) => return Ok((http, websocket)),
            Err(_) if tries > 0 => {}
            Err(source) => return Err(LocalnetError::Bind { addr: above, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_neighbours_are_bound_and_a_taken_one_is_named() {
        let (http, websocket) = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (lower, upper) = (http.local_addr().unwrap(), websocket.local_addr().unwrap());
        assert_eq!(lower.port() + 1, upper.port());
        drop(http);
        let error = bind(lower).await.unwrap_err();
        assert!(error.to_string().contains(&format!("free port {}", upper.port())), "{error}");
    }
}
