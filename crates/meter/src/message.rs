//! A message: what one publish to `v1/<meter>/up` carries.

use crate::error::WireError;
use crate::sign1::Sign1;
use crate::{MESSAGE_MAX, MESSAGE_READINGS_MAX, READING_MAX};
use minicbor::Decoder;

/// The signed readings of a message, one by one.
///
/// After the first that cannot be read nothing more follows: where the next one
/// begins is unknown.
#[derive(Clone, Debug)]
pub struct Readings<'a> {
    rest: &'a [u8],
    left: u64,
}

/// Opens a message. Its readings are read when they are asked for.
pub fn split(bytes: &[u8]) -> Result<Readings<'_>, WireError> {
    if bytes.len() > MESSAGE_MAX {
        return Err(WireError::TooLarge { what: "a message", limit: MESSAGE_MAX });
    }
    let mut decoder = Decoder::new(bytes);
    let Some(left @ 1..) = decoder.array()? else {
        return Err(WireError::Malformed("a message is an array of at least one reading"));
    };
    let start = decoder.position();
    if start != head(left).1 {
        return Err(WireError::NotCanonical);
    }
    if usize::try_from(left).is_ok_and(|left| left <= MESSAGE_READINGS_MAX) {
        Ok(Readings { rest: &bytes[start..], left })
    } else {
        Err(WireError::TooLarge { what: "a message's array", limit: MESSAGE_READINGS_MAX })
    }
}

/// The first bytes of a message of `count` readings (at most 64), and how many.
pub(crate) const fn head(count: u64) -> ([u8; 2], usize) {
    #[expect(clippy::cast_possible_truncation, reason = "both branches are bounded")]
    if count < 24 { ([0x80 | count as u8, 0], 1) } else { ([0x98, count as u8], 2) }
}

/// Other signed things may be longer; a reading may not.
fn is_short<'a>(read: (Sign1<'a>, &'a [u8])) -> Result<(Sign1<'a>, &'a [u8]), WireError> {
    if read.0.bytes.len() > READING_MAX {
        return Err(WireError::TooLarge { what: "a reading", limit: READING_MAX });
    }
    Ok(read)
}

impl<'a> Iterator for Readings<'a> {
    type Item = Result<Sign1<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            if self.rest.is_empty() {
                return None;
            }
            self.rest = &[];
            return Some(Err(WireError::Malformed("there are bytes after the last reading")));
        }
        match Sign1::read(self.rest).and_then(is_short) {
            Ok((signed, rest)) => {
                (self.rest, self.left) = (rest, self.left - 1);
                Some(Ok(signed))
            }
            Err(error) => {
                (self.rest, self.left) = (&[], 0);
                Some(Err(error))
            }
        }
    }
}
