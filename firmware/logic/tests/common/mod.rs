//! A flash in memory that behaves like a chip: bits are only cleared by writing, only
//! set by erasing, and power may go after any number of words.

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

pub const PAGE: usize = 4_096;
const WORD: usize = 4;

#[derive(Debug)]
pub struct PowerWent;

impl NorFlashError for PowerWent {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

pub struct Chip {
    pub bytes: Vec<u8>,
    /// Words that are still written before power goes.
    pub words_left: Option<usize>,
}

impl Chip {
    pub fn new(pages: usize) -> Self {
        Self { bytes: vec![0xff; pages * PAGE], words_left: None }
    }

    fn spend(&mut self) -> Result<(), PowerWent> {
        match &mut self.words_left {
            Some(0) => Err(PowerWent),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl ErrorType for Chip {
    type Error = PowerWent;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerWent> {
        let offset = offset as usize;
        bytes.copy_from_slice(&self.bytes[offset..offset + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerWent> {
        for word in (from as usize..to as usize).step_by(WORD) {
            self.spend()?;
            self.bytes[word..word + WORD].fill(0xff);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerWent> {
        assert!(
            (offset as usize).is_multiple_of(WORD) && bytes.len().is_multiple_of(WORD),
            "whole words only"
        );
        for (index, byte) in bytes.iter().enumerate() {
            if index % WORD == 0 {
                self.spend()?;
            }
            self.bytes[offset as usize + index] &= byte;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Chip {}
