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

/// The first 8 bytes of the running image's SHA-256. `read` copies flash from an offset
/// of the image; `None` when what stands there is no image with a digest.
pub fn digest(mut read: impl FnMut(u32, &mut [u8]) -> Option<()>) -> Option<[u8; 8]> {
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
    let mut digest = [0; 8];
    read((end + 1).next_multiple_of(16), &mut digest)?;
    Some(digest)
}
