//! Daraja's security credential: the initiator's password, encrypted with
//! RSA PKCS#1 v1.5 (not OAEP) to the public key of Safaricom's certificate.

use crate::secret::Secret;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How payouts prove the initiator.
#[derive(Clone, Debug)]
pub enum SecurityCredential {
    /// Encrypted before, in base64; it may be used for many requests.
    Ready(Secret),
    /// To be encrypted here.
    Password {
        /// The initiator's password.
        password: Secret,
        /// Safaricom's certificate (`BEGIN CERTIFICATE`) or its key
        /// (`BEGIN PUBLIC KEY`), in PEM.
        public_key_pem: String,
    },
}

/// The credential cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Neither a certificate nor a public key in PEM.
    #[error(
        "mpesa.certificate_unreadable: the M-Pesa certificate is no PEM certificate or public key; \
         download it again from the Daraja portal"
    )]
    Unreadable,
    /// Not an RSA key of 2048 to 8192 bits.
    #[error("mpesa.certificate_not_rsa: the M-Pesa certificate holds no RSA key of 2048 to 8192 bits")]
    NotRsa,
    /// The password is empty or too long for the key.
    #[error("mpesa.password_length: the initiator's password is empty or too long to be encrypted")]
    PasswordLength,
}

impl SecurityCredential {
    /// The text for the requests.
    pub fn blob(&self) -> Result<Secret, CredentialError> {
        match self {
            Self::Ready(blob) => Ok(blob.clone()),
            Self::Password { password, public_key_pem } => encrypt(password, public_key_pem),
        }
    }
}

fn encrypt(password: &Secret, pem: &str) -> Result<Secret, CredentialError> {
    let key = subject_public_key_info(pem).ok_or(CredentialError::Unreadable)?;
    let key = PublicEncryptingKey::from_der(&key).map_err(|_| CredentialError::NotRsa)?;
    let key = Pkcs1PublicEncryptingKey::new(key).map_err(|_| CredentialError::NotRsa)?;
    let plain = password.expose().as_bytes();
    if plain.is_empty() || plain.len() > key.max_plaintext_size() {
        return Err(CredentialError::PasswordLength);
    }
    let mut cipher = vec![0; key.ciphertext_size()];
    let cipher = key.encrypt(plain, &mut cipher).map_err(|_| CredentialError::NotRsa)?;
    Ok(Secret::from(STANDARD.encode(cipher)))
}

/// The DER of the public key in a PEM text.
fn subject_public_key_info(pem: &str) -> Option<Vec<u8>> {
    if let Some(certificate) = pem_body(pem, "CERTIFICATE") {
        return key_of_certificate(&certificate).map(<[u8]>::to_vec);
    }
    pem_body(pem, "PUBLIC KEY")
}

fn pem_body(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(body).ok()
}

const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;

/// The SubjectPublicKeyInfo inside an X.509 certificate (RFC 5280, 4.1). The
/// certificate is configuration: its signature is not checked, as no client
/// of Daraja does.
fn key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut fields, _) = element(certificate.content, SEQUENCE).map(|(tbs, rest)| (tbs.content, rest))?;
    if fields.first() == Some(&CONTEXT_0) {
        fields = element(fields, CONTEXT_0)?.1;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [0x02, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        fields = element(fields, tag)?.1;
    }
    element(fields, SEQUENCE).map(|(key, _)| key.whole)
}

struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// The first DER element of `input` if it has this tag, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(Element<'_>, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let (&length, mut rest) = rest.split_first()?;
    if first != tag {
        return None;
    }
    let mut size = usize::from(length);
    if length & 0x80 != 0 {
        let count = usize::from(length & 0x7f);
        if !(1..=3).contains(&count) {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(count)?;
        size = bytes.iter().fold(0, |size, byte| size << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(size)?;
    let whole = &input[..input.len() - after.len()];
    Some((Element { whole, content }, after))
}

#[cfg(test)]
mod tests {
    use super::{CredentialError, STANDARD, Secret, SecurityCredential};
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeySize, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
    use base64::Engine as _;

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    fn open(key: PrivateDecryptingKey, blob: &Secret) -> Vec<u8> {
        let cipher = STANDARD.decode(blob.expose()).unwrap();
        let key = Pkcs1PrivateDecryptingKey::new(key).unwrap();
        let mut plain = vec![0; key.min_output_size()];
        key.decrypt(&cipher, &mut plain).unwrap().to_vec()
    }

    #[test]
    fn the_owner_of_the_key_reads_the_password_from_a_key_or_a_certificate() {
        let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let spki = key.public_key().as_der().unwrap().as_ref().to_vec();
        let (serial, empty) = (der(0x02, &[7]), der(0x30, &[]));
        let version = der(0xa0, &der(0x02, &[2]));
        let fields = [&version[..], &serial, &empty, &empty, &empty, &empty, &spki, &empty].concat();
        let certificate = der(0x30, &[der(0x30, &fields), empty.clone()].concat());
        for public_key_pem in [pem("PUBLIC KEY", &spki), pem("CERTIFICATE", &certificate)] {
            let credential =
                SecurityCredential::Password { password: "Safaricom999!".into(), public_key_pem };
            let blob = credential.blob().unwrap();
            assert_eq!(blob.expose().len(), 344);
            assert_eq!(open(key.clone(), &blob), b"Safaricom999!");
        }
    }

    #[test]
    fn what_is_no_key_is_named_not_used() {
        for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "hello"] {
            let credential =
                SecurityCredential::Password { password: "x".into(), public_key_pem: text.to_owned() };
            assert_eq!(credential.blob().unwrap_err(), CredentialError::Unreadable);
        }
    }
}
