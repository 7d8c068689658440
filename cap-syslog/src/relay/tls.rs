//! The encryption of a connection: none, or a TLS session.
//!
//! The crate drives the session itself, so that every byte for the socket passes through one buffer
//! and is counted. The kernel says what a relay acknowledged in bytes of the socket, not of the
//! records.

use std::io::{self, Read as _, Write as _};

use rustls::ClientConnection;

/// The encryption of one connection.
#[derive(Debug)]
pub(crate) enum Encryption {
    None,
    Tls(Box<Session>),
}

/// A session after its handshake.
#[derive(Debug)]
pub(crate) struct Session {
    connection: ClientConnection,
    records: Vec<u8>,
    /// The close was announced to the relay.
    closed: bool,
}

impl Encryption {
    pub(crate) fn tls(mut connection: ClientConnection) -> Self {
        // The size of a batch is the bound.
        connection.set_buffer_limit(None);
        Self::Tls(Box::new(Session { connection, records: Vec::new(), closed: false }))
    }

    /// Appends to `out` the bytes for the socket that carry the records which `write` appends.
    pub(crate) fn append<T>(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> io::Result<T> {
        match self {
            Self::None => Ok(write(out)),
            Self::Tls(session) => {
                session.records.clear();
                let value = write(&mut session.records);
                session.connection.writer().write_all(&session.records)?;
                session.emit(out)?;
                Ok(value)
            }
        }
    }

    /// Processes bytes from the socket, and appends to `out` what the session answers. Returns
    /// whether the relay ended its side. After [`close`](Self::close) the bytes are ignored,
    /// because the session may not answer any more.
    pub(crate) fn receive(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<bool> {
        let Self::Tls(session) = self else {
            return Ok(false);
        };
        let mut ended = false;
        if session.closed {
            return Ok(ended);
        }
        while !bytes.is_empty() && !ended {
            session.connection.read_tls(&mut bytes)?;
            let state = session
                .connection
                .process_new_packets()
                .map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))?;
            ended = state.peer_has_closed();
            session.discard(state.plaintext_bytes_to_read())?;
        }
        session.emit(out)?;
        Ok(ended)
    }

    /// Announces the close to the relay, in bytes that it appends.
    pub(crate) fn close(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Tls(session) => {
                session.closed = true;
                session.connection.send_close_notify();
                session.emit(out)
            }
        }
    }
}

impl Session {
    fn emit(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while self.connection.wants_write() {
            self.connection.write_tls(out)?;
        }
        Ok(())
    }

    /// Drops plaintext, since a relay has nothing to say.
    fn discard(&mut self, mut count: usize) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while count > 0 {
            let most = count.min(ignored.len());
            count -= self.connection.reader().read(&mut ignored[..most])?;
        }
        Ok(())
    }
}
