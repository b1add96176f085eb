//! Documents as answers: named, never cached, long ones sent while they are written.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use jirani_statement::StatementError;
use std::io::{self, BufWriter, Write};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// Documents made at once: each may hold an account's whole period.
static TURNS: Semaphore = Semaphore::const_new(4);
/// Pieces that wait to be sent; a slow reader holds the writer up, not the memory.
const PIECES: usize = 4;
/// Size of a piece, in bytes.
const PIECE: usize = 64 * 1024;

/// Waits for a turn to make a document.
pub(crate) async fn turn() -> Option<SemaphorePermit<'static>> {
    // Never closed; if it were, nobody would wait.
    TURNS.acquire().await.ok()
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Csv,
    Json,
    Pdf,
}

impl Kind {
    const fn mime(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Pdf => "application/pdf",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Pdf => "pdf",
        }
    }
}

/// A document that is there already. `name` is of letters, digits, dots and dashes.
pub(crate) fn whole(kind: Kind, name: &str, bytes: Vec<u8>) -> Response {
    answer(kind, name, bytes.into())
}

/// A document that `write` writes while it is sent. When it cannot go on, the
/// connection ends in the middle, so that nobody takes a part for the whole.
pub(crate) fn streamed(
    kind: Kind,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<(), StatementError> + Send + 'static,
) -> Response {
    let (pieces, mut received) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut writer = BufWriter::with_capacity(PIECE, Pieces(pieces.clone()));
        let written = write(&mut writer).map_err(io::Error::other).and_then(|()| writer.flush());
        if let Err(error) = written {
            // Whoever read has gone, or will see the document end too early.
            let _ = pieces.blocking_send(Err(error));
        }
    });
    answer(
        kind,
        name,
        Body::from_stream(futures::stream::poll_fn(move |context| received.poll_recv(context))),
    )
}

fn answer(kind: Kind, name: &str, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, kind.mime().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{}\"", kind.extension())),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// Sends what is written, piece by piece.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
