//! Whose callbacks are taken.
//!
//! M-Pesa signs nothing, so the sender's address is a second layer behind the
//! secret path. Behind a proxy the address is what the outermost *trusted* hop
//! saw: `X-Forwarded-For` is read from the right, and the first address that is
//! not a proxy of ours is the source. What stands left of it anybody may have
//! written.

use ipnet::IpNet;
use std::net::IpAddr;

/// Safaricom's callback addresses, as its portal and many integrations list
/// them (daraja.md, section 6); the last two are on fewer lists. No promise
/// exists that they stay: the list is a setting, and every refusal is counted
/// and logged.
pub const SAFARICOM: &[&str] = &[
    "196.201.214.200",
    "196.201.214.206",
    "196.201.214.207",
    "196.201.214.208",
    "196.201.213.44",
    "196.201.213.114",
    "196.201.212.69",
    "196.201.212.74",
    "196.201.212.127",
    "196.201.212.129",
    "196.201.212.136",
    "196.201.212.138",
    "196.201.212.128",
    "196.201.212.132",
];

/// Entries of `X-Forwarded-For` that are looked at, from the right.
const HOPS_MAX: usize = 16;

/// Who may call, and which proxies are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// `None`: anybody.
    allowed: Option<Vec<IpNet>>,
    proxies: Vec<IpNet>,
}

/// Not an address or network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hooks.address: `{0}` is neither an address (196.201.214.200) nor a network (10.0.0.0/8)")]
pub struct SourcesError(pub String);

impl Sources {
    /// Anybody may call, without a proxy: for the emulator.
    pub fn anybody() -> Self {
        Self::default()
    }

    /// Only these addresses and networks may call; `proxies` are ours.
    pub fn only<S: AsRef<str>>(allowed: &[S], proxies: &[S]) -> Result<Self, SourcesError> {
        Ok(Self { allowed: Some(networks(allowed)?), proxies: networks(proxies)? })
    }

    /// Anybody may call, also through these proxies.
    pub fn anybody_through<S: AsRef<str>>(proxies: &[S]) -> Result<Self, SourcesError> {
        Ok(Self { allowed: None, proxies: networks(proxies)? })
    }

    /// Where a request came from: the other end of the connection, or, if that
    /// is a proxy of ours, the last hop before our proxies. A header that cannot
    /// be read leaves the proxy's own address, which is on no allow-list.
    pub fn source<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut source = plain(peer);
        if !within(&self.proxies, source) {
            return source;
        }
        let hops = forwarded.rev().flat_map(|header| header.rsplit(','));
        for hop in hops.take(HOPS_MAX) {
            let Some(address) = address(hop) else { return plain(peer) };
            source = address;
            if !within(&self.proxies, address) {
                return address;
            }
        }
        source
    }

    /// Whether this source may call.
    pub fn admits(&self, source: IpAddr) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| within(allowed, plain(source)))
    }
}

fn networks<S: AsRef<str>>(texts: &[S]) -> Result<Vec<IpNet>, SourcesError> {
    texts
        .iter()
        .map(|text| {
            let text = text.as_ref().trim();
            text.parse::<IpNet>()
                .ok()
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
                .ok_or_else(|| SourcesError(text.to_owned()))
        })
        .collect()
}

fn within(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// An IPv4 address in its IPv6 dress is the same address.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// `10.0.0.1`, `10.0.0.1:5000`, `[2001:db8::1]:5000`, `2001:db8::1`.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let parsed = hop
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok());
    parsed.map(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn behind_proxy() -> Sources {
        let mut sources = Sources::only(SAFARICOM, &[]).unwrap();
        sources.proxies = networks(&["10.0.0.0/8", "127.0.0.1"]).unwrap();
        sources
    }

    #[test]
    fn without_a_proxy_a_header_says_nothing() {
        let sources = Sources::only(SAFARICOM, &[]).unwrap();
        let source = sources.source(ip("203.0.113.9"), ["196.201.212.69"].into_iter());
        assert_eq!(source, ip("203.0.113.9"));
        assert!(!sources.admits(source));
        assert!(sources.admits(ip("196.201.212.69")) && sources.admits(ip("::ffff:196.201.212.69")));
    }

    #[test]
    fn behind_proxies_the_rightmost_stranger_is_the_source() {
        let sources = behind_proxy();
        for (headers, source) in [
            (vec!["196.201.212.69"], "196.201.212.69"),
            (vec!["196.201.212.69, 203.0.113.9"], "203.0.113.9"),
            (vec!["196.201.212.69", "203.0.113.9, 10.1.1.1"], "203.0.113.9"),
            (vec!["203.0.113.9, 196.201.212.69, 10.1.1.1"], "196.201.212.69"),
            (vec!["196.201.212.69:4711"], "196.201.212.69"),
            (vec!["196.201.212.69, nonsense"], "127.0.0.1"),
            (vec!["nonsense, 196.201.212.69"], "196.201.212.69"),
            (vec![""], "127.0.0.1"),
            (vec![], "127.0.0.1"),
        ] {
            let told = sources.source(ip("127.0.0.1"), headers.iter().copied());
            assert_eq!(told, ip(source), "{headers:?}");
        }
    }

    #[test]
    fn an_endless_header_of_our_own_proxies_ends() {
        let header = "10.0.0.1,".repeat(100_000) + "10.0.0.1";
        assert_eq!(behind_proxy().source(ip("10.0.0.2"), [header.as_str()].into_iter()), ip("10.0.0.1"));
    }

    #[test]
    fn what_is_no_address_is_named() {
        let error = Sources::only(&["196.201.214.200", "safaricom"], &[]).unwrap_err();
        assert!(error.to_string().contains("`safaricom`"));
    }

    proptest! {
        /// Whatever a stranger writes to the left of what our proxy appended.
        #[test]
        fn nobody_can_write_himself_onto_the_list(forged in "[ -~]{0,60}") {
            let header = format!("{forged},203.0.113.9");
            let sources = behind_proxy();
            let source = sources.source(ip("127.0.0.1"), [header.as_str()].into_iter());
            prop_assert_eq!(source, ip("203.0.113.9"));
            prop_assert!(!sources.admits(source));
        }
    }
}
