//! The identity as a QR code on the serial line: a phone reads it off the screen.

use core::fmt;
use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};

/// Enough for 78 bytes or 114 capital letters and digits.
const VERSION: Version = Version::new(4);
const BUFFER: usize = VERSION.buffer_len();
/// Light modules around the code. The standard wants four; two do on a dark screen.
const QUIET: i32 = 2;

/// Writes `text` as a QR code, two rows of modules a line. Light modules are printed:
/// terminals are dark. Says nothing when the text is too long.
pub fn write(text: &str, into: &mut impl fmt::Write) -> fmt::Result {
    let (mut work, mut code) = ([0; BUFFER], [0; BUFFER]);
    let made =
        QrCode::encode_text(text, &mut work, &mut code, QrCodeEcc::Low, Version::MIN, VERSION, None, true);
    let Ok(code) = made else { return Ok(()) };
    let places = -QUIET..code.size() + QUIET;
    for y in places.clone().step_by(2) {
        for x in places.clone() {
            // Beyond the last row there is nothing to print.
            let below = y + 1 < places.end && !code.get_module(x, y + 1);
            into.write_char(match (!code.get_module(x, y), below) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })?;
        }
        into.write_str("\r\n")?;
    }
    Ok(())
}
