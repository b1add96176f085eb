//! Which firmware runs: the digest that stands at the end of its image in flash.
//!
//! An image is a header of 24 bytes, segments of 8 bytes of head and some content, a
//! checksum that ends a line of 16 bytes, and, when the header says so, the SHA-256 of
//! all that (ESP-IDF, `esp_image_format.h`).

const MAGIC: u8 = 0xE9;
const HEADER: u32 = 24;
const SEGMENT: u32 = 8;
const SEGMENTS_MAX: u8 = 16;
/// No image is longer than the flash it stands in.
const LENGTH_MAX: u32 = 4 << 20;

/// Where the application's description stands: behind the header and the first segment's
/// head (ESP-IDF, `esp_app_desc.h`).
const DESCRIPTION: u32 = HEADER + SEGMENT;
const DESCRIPTION_MAGIC: u32 = 0xABCD_5432;
/// Bytes of the digest at the end.
const DIGEST: u32 = 32;

/// What an image says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Bytes of it, the digest at its end included.
    pub length: u32,
    /// The processor's number.
    pub chip: u16,
    /// Its version: ESP-IDF's "secure version", which only grows.
    pub version: u32,
}

/// What the image says of itself that `read` copies from; `None` when it is none, or has
/// no digest.
pub fn about(mut read: impl FnMut(u32, &mut [u8]) -> Option<()>) -> Option<About> {
    let mut header = [0; HEADER as usize];
    read(0, &mut header)?;
    let mut description = [0; 8];
    read(DESCRIPTION, &mut description)?;
    let [magic @ .., a, b, c, d] = description;
    if magic != DESCRIPTION_MAGIC.to_le_bytes() {
        return None;
    }
    Some(About {
        length: end(read)? + DIGEST,
        chip: u16::from_le_bytes([header[12], header[13]]),
        version: u32::from_le_bytes([a, b, c, d]),
    })
}

/// The first 8 bytes of the running image's SHA-256. `read` copies flash from an offset
/// of the image; `None` when what stands there is no image with a digest.
pub fn digest(mut read: impl FnMut(u32, &mut [u8]) -> Option<()>) -> Option<[u8; 8]> {
    let mut digest = [0; 8];
    let at = end(&mut read)?;
    read(at, &mut digest)?;
    Some(digest)
}

/// Where the digest stands.
fn end(mut read: impl FnMut(u32, &mut [u8]) -> Option<()>) -> Option<u32> {
    let mut header = [0; HEADER as usize];
    read(0, &mut header)?;
    let (segments, has_digest) = (header[1], header[23]);
    if header[0] != MAGIC || segments > SEGMENTS_MAX || has_digest != 1 {
        return None;
    }
    let mut end = HEADER;
    for _ in 0..segments {
        let mut head = [0; SEGMENT as usize];
        read(end, &mut head)?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        end = end.checked_add(SEGMENT)?.checked_add(length).filter(|end| *end <= LENGTH_MAX)?;
    }
    // At least one byte of checksum, up to the next line of 16.
    Some((end + 1).next_multiple_of(16))
}
