//! Opens security credentials, where the emulator was given a private key.

use crate::config::InitiatorCheck;
use crate::error::SandboxError;
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Opens security credentials.
pub struct CredentialReader {
    key: Pkcs1PrivateDecryptingKey,
    password: String,
}

impl CredentialReader {
    pub fn new(check: &InitiatorCheck) -> Result<Self, SandboxError> {
        let key = pkcs8(&check.private_key_pem).ok_or(SandboxError::PrivateKey)?;
        let key = PrivateDecryptingKey::from_pkcs8(&key).map_err(|_| SandboxError::PrivateKey)?;
        let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| SandboxError::PrivateKey)?;
        Ok(Self { key, password: check.password.clone() })
    }

    /// Whether the credential holds the initiator's password.
    pub fn opens(&self, credential: &str) -> bool {
        let Ok(cipher) = STANDARD.decode(credential) else { return false };
        let mut plain = vec![0; self.key.min_output_size()];
        self.key.decrypt(&cipher, &mut plain).is_ok_and(|plain| plain == self.password.as_bytes())
    }
}

fn pkcs8(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}
