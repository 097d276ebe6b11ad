//! Connections whose other side doesn't read end after a time, whatever serves them.

use super::shutdown::Shutdown;
use axum::serve::Listener;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// What has to leave within the time, where something waits.
const LEAST: usize = 16 * 1024;

/// A listener whose connections end when what is written to them isn't read for [`Limits::send_time`](super::Limits::send_time), or hardly: 16 KiB in that time.
///
/// A server can't end such a connection otherwise: it holds what waits for it, and a graceful shutdown waits for it without an end. [`serve`](super::serve) does the same
/// by itself; this is for `axum::serve`.
///
#[doc = include_str!("../../docs/examples/patient.md")]
pub struct Patient<L> {
    listener: L,
    time: Duration,
}

impl<L> fmt::Debug for Patient<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

impl<L: Listener> Patient<L> {
    /// The connections of `listener`, with the limits that `shutdown` is of.
    ///
    #[doc = include_str!("../../docs/examples/patient.md")]
    pub fn new(listener: L, shutdown: &Shutdown) -> Self {
        Patient {
            listener,
            time: shutdown.send_time(),
        }
    }
}

impl<L: Listener> Listener for Patient<L> {
    type Io = PatientStream<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.listener.accept().await;
        (PatientStream::new(stream, self.time), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection of [`Patient`].
///
/// ```
/// fn is_a_stream<S: tokio::io::AsyncWrite>() {}
/// is_a_stream::<carburetor::server::PatientStream<tokio::net::TcpStream>>();
/// ```
pub struct PatientStream<S> {
    stream: S,
    time: Duration,
    /// As long as something waits to be written.
    waiting: Option<Box<Waiting>>,
}

struct Waiting {
    until: Pin<Box<Sleep>>,
    written: usize,
}

impl<S> fmt::Debug for PatientStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientStream").finish_non_exhaustive()
    }
}

impl<S> PatientStream<S> {
    pub(super) fn new(stream: S, time: Duration) -> Self {
        PatientStream {
            stream,
            time,
            waiting: None,
        }
    }

    /// What was written of so many bytes; where none could be, the time runs.
    fn written(
        &mut self,
        context: &mut Context<'_>,
        of: usize,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(written)) => {
                if written == of {
                    self.waiting = None;
                } else if let Some(waiting) = &mut self.waiting {
                    waiting.written += written;
                }
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let time = self.time;
                let waiting = self.waiting.get_or_insert_with(|| {
                    Box::new(Waiting {
                        until: Box::pin(sleep(time)),
                        written: 0,
                    })
                });
                ready!(waiting.until.as_mut().poll(context));
                if waiting.written < LEAST {
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
                waiting.written = 0;
                waiting.until.as_mut().reset(Instant::now() + time);
                // It is not over yet: so the task is woken when it is.
                ready!(waiting.until.as_mut().poll(context));
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PatientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PatientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, bytes.len(), written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        let all = pieces.iter().map(|piece| piece.len()).sum();
        self.written(context, all, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const TIME: Duration = Duration::from_millis(300);

    #[tokio::test]
    async fn a_connection_that_is_not_read_ends() {
        let (stream, other) = duplex(1000);
        let mut stream = PatientStream::new(stream, TIME);
        let began = Instant::now();
        let error = stream.write_all(&[0; 5000]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() >= TIME);
        drop(other);
    }

    #[tokio::test]
    async fn a_connection_that_is_read_slowly_lasts_and_one_that_trickles_does_not() {
        for (piece, lasts) in [(1000, true), (10, false)] {
            let (stream, mut other) = duplex(1000);
            let mut stream = PatientStream::new(stream, TIME);
            let reading = tokio::spawn(async move {
                let mut buffer = vec![0; piece];
                while other.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    sleep(Duration::from_millis(1)).await;
                }
            });
            let written = stream.write_all(&[0; 200_000]).await;
            assert_eq!(written.is_ok(), lasts);
            drop(stream);
            reading.await.unwrap();
        }
    }
}
