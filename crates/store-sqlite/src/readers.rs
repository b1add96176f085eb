//! The connections that only read.
//!
//! A question is answered on the thread that asks: what a record or a page costs, tens
//! of microseconds from pages in memory, is less than two changes of thread would.
//! Questions that walk a table are handed to a thread that may be blocked.

use jirani_store::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

type Answer<T> = Result<T, StoreError>;

/// See the module.
#[derive(Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// Each is taken when the store is closed.
    connections: Vec<Mutex<Option<Connection>>>,
    next: AtomicUsize,
}

impl Readers {
    pub(crate) fn new(path: &Path, connections: Vec<Connection>) -> Self {
        let connections = connections.into_iter().map(|connection| Mutex::new(Some(connection))).collect();
        Self { shared: Arc::new(Shared { path: path.to_owned(), connections, next: AtomicUsize::new(0) }) }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Answers a question about a few rows, found by an index.
    pub(crate) fn ask<T>(&self, question: impl FnOnce(&Connection) -> Answer<T>) -> Answer<T> {
        let Shared { connections, next, .. } = &*self.shared;
        let free = connections.iter().find_map(|connection| match connection.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let guard = free.unwrap_or_else(|| {
            let turn = next.fetch_add(1, Ordering::Relaxed) % connections.len();
            connections[turn].lock().unwrap_or_else(PoisonError::into_inner)
        });
        let closed = || StoreError::Unavailable { what: "the store is closed".to_owned() };
        question(guard.as_ref().ok_or_else(closed)?)
    }

    /// Answers a question that walks a table.
    pub(crate) async fn walk<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let readers = self.clone();
        let answered = tokio::task::spawn_blocking(move || readers.ask(question)).await;
        answered.unwrap_or_else(|error| {
            Err(StoreError::Unavailable { what: format!("a question was not answered: {error}") })
        })
    }

    /// Closes all of them, each when its question is answered.
    pub(crate) fn close(&self) {
        for connection in &self.shared.connections {
            connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}
