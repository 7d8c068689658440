//! Load on the reference service at little cost, and receivers that accept everything and keep
//! nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustls::{ALL_VERSIONS, ServerConnection, StreamOwned};

use crate::{Authority, ServerCertificate, tls};

/// Everyday requests: of eight, one changes something and is audited.
const REQUESTS: [(&str, &str, &str); 8] = [
    ("POST", "/webhooks/ticket", r#"{"any":"thing"}"#),
    ("GET", "/projects/p1/certificates", ""),
    ("GET", "/license", ""),
    ("GET", "/projects/p1/certificates", ""),
    ("GET", "/projects/p1/certificates/crt_none", ""),
    ("GET", "/projects/p1/certificates", ""),
    ("GET", "/license", ""),
    ("GET", "/projects/p1/certificates", ""),
];

/// One connection to the service, which sends a request when the one before is answered.
#[derive(Debug)]
pub struct Caller {
    stream: TcpStream,
    received: Vec<u8>,
    requests: Vec<Vec<u8>>,
    sent: usize,
}

impl Caller {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    #[expect(clippy::disallowed_methods, reason = "a client on loopback")]
    pub fn connect(to: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let text = |(method, path, body): (&str, &str, &str)| {
            format!(
                "{method} {path} HTTP/1.1\r\nhost: {to}\r\nx-actor: user:alice@example.com\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        Ok(Caller {
            stream,
            received: Vec::with_capacity(64 * 1024),
            requests: REQUESTS.map(|request| text(request).into_bytes()).into(),
            sent: 0,
        })
    }

    /// Sends the next request, and returns the status of its answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no answer.
    pub fn call(&mut self) -> io::Result<u16> {
        let request = &self.requests[self.sent % self.requests.len()];
        self.sent += 1;
        self.stream.write_all(request)?;
        self.received.clear();
        loop {
            if let Some((line, length)) = head(&self.received)
                && self.received.len() >= length
            {
                let status = line.get(9..12).and_then(|status| status.parse().ok());
                return status.ok_or_else(|| io::Error::other(line.to_owned()));
            }
            let mut bytes = [0; 16 * 1024];
            match self.stream.read(&mut bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.received.extend_from_slice(&bytes[..count]),
            }
        }
    }

    /// Sends so many requests, and returns how long each took.
    ///
    /// # Errors
    /// When one is not answered, or with a failure of the service.
    pub fn calls(&mut self, count: usize) -> io::Result<Vec<Duration>> {
        let call = |_| {
            let start = Instant::now();
            match self.call()? {
                status @ 500.. => Err(io::Error::other(format!("answered {status}"))),
                _ => Ok(start.elapsed()),
            }
        };
        (0..count).map(call).collect()
    }
}

/// The first line of a message, and its length with the body. `None` while the head is incomplete.
fn head(received: &[u8]) -> Option<(&str, usize)> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let length = name.eq_ignore_ascii_case("content-length");
        length.then(|| value.trim().parse::<usize>().ok())?
    });
    Some((head.lines().next()?, end + 4 + length.unwrap_or(0)))
}

/// A collector that accepts every batch.
#[derive(Debug)]
pub struct Collector {
    addr: SocketAddr,
}

impl Collector {
    /// On a free port, until the process ends.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> io::Result<Self> {
        let addr = serve(|mut stream| {
            let (mut received, mut bytes) = (Vec::new(), vec![0; 256 * 1024]);
            loop {
                match head(&received) {
                    Some((_, length)) if received.len() >= length => {
                        received.drain(..length);
                        // No body: an answer without a word is a success without an exception.
                        let ok = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                        stream.write_all(ok)?;
                    }
                    _ => match stream.read(&mut bytes)? {
                        0 => return Ok(()),
                        count => received.extend_from_slice(&bytes[..count]),
                    },
                }
            }
        })?;
        Ok(Collector { addr })
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}

/// A relay over TLS that counts records and forgets them.
#[derive(Debug)]
pub struct Relay {
    addr: SocketAddr,
    records: Arc<AtomicU64>,
}

impl Relay {
    /// On a free port, until the process ends.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(authority: &Authority) -> io::Result<Self> {
        let records = Arc::new(AtomicU64::new(0));
        let identity = authority.server(ServerCertificate::Good);
        let tls = Arc::new(tls::server_config(&identity, None, ALL_VERSIONS));
        let count = Arc::clone(&records);
        let addr = serve(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&tls)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(connection, stream);
            let mut bytes = vec![0; 64 * 1024];
            loop {
                let read = stream.read(&mut bytes)?;
                if read == 0 {
                    return Ok(());
                }
                // Each record begins with its priority and version, and contains that nowhere else.
                let starts = bytes[..read].windows(4).filter(|bytes| *bytes == b">1 2");
                count.fetch_add(starts.count() as u64, Ordering::Relaxed);
            }
        })?;
        Ok(Relay { addr, records })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Records so far; one that two reads shared may be missing.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }
}

/// A thread for each connection.
fn serve(
    answer: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // How a connection ends is the sender's to say.
            std::thread::spawn(move || drop(answer(stream)));
        }
    });
    Ok(addr)
}
