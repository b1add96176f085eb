//! An encrypted way to the broker: whose certificates are believed, and the gateway's own.

use crate::error::GatewayError;
use rumqttc::tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use rumqttc::tokio_rustls::rustls::pki_types::pem::PemObject as _;
use rumqttc::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rumqttc::tokio_rustls::rustls::{ClientConfig, RootCertStore};
use rumqttc::{TlsConfiguration, Transport};
use std::sync::Arc;

/// Names the process's library for TLS, since two libraries in one process may each bring
/// their own. To be called once, before anything connects; later calls change nothing.
pub fn choose_cryptography() {
    // An `Err` says that one was chosen before.
    let _ = default_provider().install_default();
}

/// What the site's clients bring to a broker that speaks TLS. Texts are PEM.
#[derive(Clone, Default)]
pub struct GatewayTls {
    /// Certificates of the authorities that may have signed the broker's. No others are
    /// believed, those of the system included.
    pub authorities: Vec<u8>,
    /// The gateway's own certificate, with its chain, and its private key, for brokers that
    /// know their clients by certificate.
    pub own: Option<(Vec<u8>, Vec<u8>)>,
}

impl GatewayTls {
    /// The same authorities, for a client that has no certificate: one that speaks under
    /// other names than the gateway's.
    #[must_use]
    pub fn without_own(&self) -> Self {
        Self { authorities: self.authorities.clone(), own: None }
    }

    /// Reads the texts; `gateway.bad_tls` names the one that is none.
    pub fn transport(&self) -> Result<Transport, GatewayError> {
        let bad = |what: &str| GatewayError::BadTls { what: what.to_owned() };
        let mut roots = RootCertStore::empty();
        for certificate in
            certificates(&self.authorities).ok_or_else(|| bad("the authority's file is not PEM"))?
        {
            roots.add(certificate).map_err(|error| bad(&format!("the authority's certificate: {error}")))?;
        }
        if roots.is_empty() {
            return Err(bad("the authority's file holds no certificate"));
        }
        // Named, since two libraries in one process may each bring their own.
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| bad(&error.to_string()))?
            .with_root_certificates(roots);
        let settings = match &self.own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = certificates(chain).filter(|chain| !chain.is_empty());
                let chain = chain.ok_or_else(|| bad("the gateway's file holds no certificate"))?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| bad("the gateway's key file holds no private key"))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| bad(&format!("the gateway's certificate and key: {error}")))?
            }
        };
        Ok(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(settings))))
    }
}

fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::GatewayTls;

    #[test]
    fn what_is_no_certificate_is_named() {
        for (text, word) in
            [(&b""[..], "no certificate"), (b"-----BEGIN CERTIFICATE-----\nAAAA\n", "not PEM")]
        {
            let tls = GatewayTls { authorities: text.to_vec(), own: None };
            let error = tls.transport().map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with("gateway.bad_tls") && error.contains(word), "{error}");
        }
    }
}
