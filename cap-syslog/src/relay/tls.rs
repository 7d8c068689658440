//! What stands between records and the bytes of the socket: nothing, or a TLS session.
//!
//! The session is driven by hand, so that every byte that goes to the socket passes through one buffer and can be counted:
//! what a relay has acknowledged is known in bytes of the socket, not of the records.

use std::io::{self, Read as _, Write as _};

use rustls::ClientConnection;

/// One connection's way of writing.
#[derive(Debug)]
pub(crate) enum Encryption {
    None,
    Tls(Box<Session>),
}

/// A session whose handshake is done.
#[derive(Debug)]
pub(crate) struct Session {
    connection: ClientConnection,
    records: Vec<u8>,
    /// The relay was told that nothing more will come.
    closed: bool,
}

impl Encryption {
    pub(crate) fn tls(mut connection: ClientConnection) -> Self {
        // A batch is bounded already.
        connection.set_buffer_limit(None);
        Self::Tls(Box::new(Session {
            connection,
            records: Vec::new(),
            closed: false,
        }))
    }

    /// Appends to `out` what the socket is to be given for the records that `write` appends.
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

    /// Takes in what came from the socket, and appends to `out` what has to be answered. Says whether the relay ended its
    /// side. Once [`close`](Self::close) was called nothing is looked at: the session would have to answer what is wrong with it, and may
    /// not any more.
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

    /// Appends what tells the relay that nothing more will come.
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

    /// A relay has nothing to say.
    fn discard(&mut self, mut count: usize) -> io::Result<()> {
        let mut ignored = [0; 1024];
        while count > 0 {
            let most = count.min(ignored.len());
            count -= self.connection.reader().read(&mut ignored[..most])?;
        }
        Ok(())
    }
}
