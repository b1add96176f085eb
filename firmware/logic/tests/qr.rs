//! The identity on the serial line is a code that a phone reads.

#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use jirani_firmware_logic::qr;

/// Dots of a module's edge on the screen.
const DOTS: usize = 4;

#[test]
fn a_camera_reads_the_identity_off_a_dark_screen() {
    let identity = "7776E870B93354F2A0B24C23F2A36CC4E80E223218C1B97926FDD018396A2B9B";
    let mut text = String::new();
    qr::write(identity, &mut text).unwrap();
    let rows: Vec<Vec<bool>> = text
        .lines()
        .flat_map(|line| {
            let upper = line.chars().map(|letter| "█▀".contains(letter)).collect();
            let lower = line.chars().map(|letter| "█▄".contains(letter)).collect();
            [upper, lower]
        })
        .collect();
    let (width, height) = (rows[0].len() * DOTS, rows.len() * DOTS);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        if rows[y / DOTS][x / DOTS] { 255 } else { 0 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids[0].decode().unwrap().1, identity);
}

#[test]
fn a_text_that_is_too_long_is_not_drawn() {
    let mut text = String::new();
    qr::write(&"x".repeat(79), &mut text).unwrap();
    assert_eq!(text, "");
}
