//! One flash for the queue and the store: each has its own range of it.

use core::cell::RefCell;
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

/// A flash that several own. Its futures are ready at once: the chip stands still while
/// it writes.
#[derive(Debug)]
pub struct Shared<'a, F>(&'a RefCell<F>);

impl<'a, F> Shared<'a, F> {
    /// One owner more.
    pub fn new(flash: &'a RefCell<F>) -> Self {
        Self(flash)
    }
}

impl<F> Clone for Shared<'_, F> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<F: blocking::ErrorType> ErrorType for Shared<'_, F> {
    type Error = F::Error;
}

impl<F: blocking::ReadNorFlash> ReadNorFlash for Shared<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.borrow_mut().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl<F: blocking::NorFlash> NorFlash for Shared<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.borrow_mut().erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.0.borrow_mut().write(offset, bytes)
    }
}

impl<F: blocking::MultiwriteNorFlash> MultiwriteNorFlash for Shared<'_, F> {}

/// The same flash for who writes whole images: blocking, and borrowed only while it works,
/// so that the store may be written in between.
#[derive(Debug)]
pub struct Blocking<'a, F>(&'a RefCell<F>);

impl<'a, F> Blocking<'a, F> {
    /// One owner more.
    pub fn new(flash: &'a RefCell<F>) -> Self {
        Self(flash)
    }
}

impl<F: blocking::ErrorType> blocking::ErrorType for Blocking<'_, F> {
    type Error = F::Error;
}

impl<F: blocking::ReadNorFlash> blocking::ReadNorFlash for Blocking<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.borrow_mut().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.borrow().capacity()
    }
}

impl<F: blocking::NorFlash> blocking::NorFlash for Blocking<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.borrow_mut().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.0.borrow_mut().write(offset, bytes)
    }
}
