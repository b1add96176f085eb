//! `POST /mpesa/qrcode/v1/generate`: a real PNG.
//!
//! What a real code says inside is documented nowhere; this one says who is to
//! be paid, how and how much, fields parted by `|`.

use super::App;
use super::answer::Body;
use super::auth::{self, Family};
use super::fields::Fields;
use crate::action::Target;
use crate::refusal::Refusal;
use crate::world::{Verdict, Whom};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::{Color, QrCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest picture, in pixels.
const LARGEST: u32 = 1_000;
/// The white margin that readers need, in modules.
const MARGIN: u32 = 4;

pub async fn generate(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let result = try_generate(&app, &headers, &body).await;
    app.conclude(Family::Express, result).await
}

async fn try_generate(app: &App, headers: &HeaderMap, body: &Body) -> Result<Verdict<Value>, Refusal> {
    auth::check(app, headers, Family::Express)?;
    let fields = Fields::read(headers, body, "MerchantName")?;
    let name = fields.short("MerchantName", 40)?;
    let reference = fields.short("RefNo", 40)?;
    let shillings = fields.shillings("Amount")?;
    let kind = fields.one_of("TrxCode", &["BG", "WA", "PB", "SM", "SB"])?;
    let receiver = fields.short("CPI", 20)?;
    let size = match fields.maybe_short("Size", 5)? {
        Some(text) => text.parse().ok().filter(|size| (1..=LARGEST).contains(size)),
        None => Some(300),
    };
    let size = size.ok_or_else(|| Refusal::field("Size"))?;
    let says = format!("MPESA|{kind}|{receiver}|{shillings}|{reference}|{name}");
    let picture = picture(&says, size).ok_or_else(|| Refusal::field("MerchantName"))?;
    let whom = receiver.clone();
    let verdict = app
        .core
        .ask(None, move |world| world.answer(Target::QrResponse, Whom::business(&whom), |_, _| Ok(((), 0))));
    Ok(verdict.await?.map(|()| {
        json!({
            "ResponseCode": "00",
            "RequestID": app.new_id(),
            "ResponseDescription": "QR Code Successfully Generated.",
            "QRCode": STANDARD.encode(picture),
        })
    }))
}

/// A square PNG of about this many pixels: never smaller than the code needs.
fn picture(says: &str, size: u32) -> Option<Vec<u8>> {
    let code = QrCode::new(says.as_bytes()).ok()?;
    let modules = u32::try_from(code.width()).ok()?;
    let whole = modules + 2 * MARGIN;
    let scale = (size / whole).max(1);
    let side = size.max(whole);
    let start = (side - modules * scale) / 2;
    let dark = |pixel: u32| pixel.checked_sub(start).map(|at| at / scale).filter(|module| *module < modules);
    let colors = code.to_colors();
    let pixels: Vec<u8> = (0..side * side)
        .map(|pixel| {
            let module = dark(pixel % side).zip(dark(pixel / side));
            let color = module.and_then(|(x, y)| colors.get((y * modules + x) as usize));
            if color == Some(&Color::Dark) { 0 } else { 255 }
        })
        .collect();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().ok()?.write_image_data(&pixels).ok()?;
    Some(file)
}
