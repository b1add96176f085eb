//! A QR code.

use super::Reply;
use crate::mpesa::SendError;
use crate::qr::QrCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// How every PNG file begins (ISO/IEC 15948).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

impl Reply {
    /// The answer to a request for a QR code. The response code differs between
    /// the portal and what clients met, so the picture itself decides.
    pub fn qr(&self) -> Result<QrCode, SendError> {
        let text = self.json.get("QRCode").and_then(Value::as_str).filter(|_| self.status() == 200);
        let Some(text) = text else { return Err(self.send_error()) };
        let text = text.trim();
        let text = text.strip_prefix("data:image/png;base64,").unwrap_or(text);
        match STANDARD.decode(text) {
            Ok(png) if png.starts_with(PNG) => Ok(QrCode { png }),
            _ => Err(SendError::Unknown { message: "M-Pesa's QR code is not a PNG picture".to_owned() }),
        }
    }
}
