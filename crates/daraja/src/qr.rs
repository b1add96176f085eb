//! Dynamic QR codes.

use jirani_units::Reference;

/// A code to be made for paying the collecting shortcode.
#[derive(Clone, Debug)]
pub struct QrRequest {
    /// Who is paid, as the M-Pesa app shows it; at most 22 characters are kept.
    pub merchant_name: String,
    /// Our reference of the payment.
    pub reference: Reference,
    /// Whole shillings.
    pub shillings: i64,
    /// Width and height, 50 to 1,000 pixels.
    pub size_px: u16,
}

/// The picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    /// As PNG.
    pub png: Vec<u8>,
}
