//! A receiver on its own thread, for tests without a runtime.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A receiver that runs on a thread with its own runtime. A drop closes the listener and every
/// connection. When the drop returns, the port is free.
pub struct Background<T> {
    // Dropped by hand, before the runtime that it lives on ends.
    receiver: Option<T>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Background<T> {
    /// Runs `start` on the new thread and returns with its receiver.
    ///
    /// # Errors
    /// Those of `start`, and those of a thread or a runtime that cannot be created.
    pub fn start(start: impl AsyncFnOnce() -> io::Result<T> + Send + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, receiver) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            // A subscriber under test must not see what the receiver's HTTP/2 traces.
            let silent = tracing::subscriber::NoSubscriber::default();
            let _silent = tracing::subscriber::set_default(silent);
            runtime.block_on(async {
                // Nobody waits any more: the test has panicked.
                if started.send(start().await).is_ok() {
                    let _ = stopped.await;
                }
            });
        };
        let thread = std::thread::Builder::new().name("test receiver".to_owned()).spawn(run)?;
        let receiver = receiver.recv().expect("the receiver's thread panicked")?;
        Ok(Self { receiver: Some(receiver), stop: Some(stop), thread: Some(thread) })
    }
}

impl<T> Deref for Background<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.receiver.as_ref().expect("only a drop takes it")
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        drop((self.receiver.take(), self.stop.take()));
        if let Some(thread) = self.thread.take() {
            // A panic of the receiver's thread has printed its message.
            let _ = thread.join();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.receiver.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{ANY_PORT, Server, bind_to, listen};
    use std::net::TcpListener;

    #[test]
    fn a_dropped_receiver_leaves_its_port() {
        let server = Background::start(async || {
            Server::start(bind_to(ANY_PORT, listen)?, None, async |_stream| {})
        });
        let server = server.expect("a port");
        let addr = server.addr();
        assert!(TcpListener::bind(addr).is_err());
        drop(server);
        TcpListener::bind(addr).expect("the port is free");
    }
}
