use super::ConfigError;
use jirani_inbox::gate::Rate;
use jirani_inbox::sources::SAFARICOM;
use jirani_inbox::{Gate, Sources};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Anybody's callbacks are taken.
const ANYBODY: &str = "anybody";
/// Stands for Safaricom's addresses in a list.
const SAFARICOM_WORD: &str = "safaricom";

/// `[hooks]`: whose callbacks are taken, and how many.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Addresses and networks that may call back; `safaricom` stands for M-Pesa's
    /// own, `anybody` for no list. Empty: M-Pesa's, or anybody with the emulator.
    pub allowed: Vec<String>,
    /// Addresses and networks of our own proxies, whose `X-Forwarded-For` is
    /// believed.
    pub proxies: Vec<String>,
    /// Callbacks a minute from one address; 0 for no limit, which is also the rule
    /// with the emulator.
    pub per_minute: u32,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { allowed: Vec::new(), proxies: Vec::new(), per_minute: 6_000 }
    }
}

impl Hooks {
    /// The gate in front of the callbacks' doors; on `trial` no real money moves.
    pub fn gate(&self, trial: bool) -> Result<Gate, ConfigError> {
        let said = |word: &str| self.allowed.iter().any(|entry| entry == word);
        let sources = if said(ANYBODY) || (self.allowed.is_empty() && trial) {
            Sources::anybody_through(&self.proxies)
        } else {
            let mut allowed: Vec<String> =
                self.allowed.iter().filter(|entry| *entry != SAFARICOM_WORD).cloned().collect();
            if self.allowed.is_empty() || said(SAFARICOM_WORD) {
                allowed.extend(SAFARICOM.iter().map(|address| (*address).to_owned()));
            }
            Sources::only(&allowed, &self.proxies)
        };
        let sources = sources.map_err(|error| ConfigError::Invalid(error.to_string()))?;
        let rate = NonZeroU32::new(self.per_minute).filter(|_| !trial);
        Ok(Gate::new(sources, rate.map(|per_minute| Rate { per_minute })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_inbox::HookRefusal;
    use std::net::IpAddr;

    fn admits(hooks: &Hooks, trial: bool, source: &str) -> Result<(), HookRefusal> {
        let source: IpAddr = source.parse().unwrap();
        hooks.gate(trial).unwrap().admit(source, &reqwest::header::HeaderMap::new()).map(drop)
    }

    #[test]
    fn m_pesa_alone_may_call_unless_it_is_a_trial_or_said_otherwise() {
        let of = |allowed: &[&str]| Hooks {
            allowed: allowed.iter().map(|entry| (*entry).to_owned()).collect(),
            ..Hooks::default()
        };
        let (m_pesa, stranger) = ("196.201.212.69", "203.0.113.9");
        let cases: [(&[&str], bool, bool, bool); 6] = [
            (&[], false, true, false),
            (&[], true, true, true),
            (&["anybody"], false, true, true),
            (&["203.0.113.0/24"], false, false, true),
            (&["safaricom", "203.0.113.9"], true, true, true),
            (&["safaricom"], true, true, false),
        ];
        for (allowed, trial, takes_m_pesa, takes_stranger) in cases {
            assert_eq!(admits(&of(allowed), trial, m_pesa).is_ok(), takes_m_pesa, "{allowed:?}");
            assert_eq!(admits(&of(allowed), trial, stranger).is_ok(), takes_stranger, "{allowed:?}");
        }
        let error = of(&["safricom"]).gate(false).map(drop).unwrap_err().to_string();
        assert!(error.contains("`safricom`"), "{error}");
    }
}
