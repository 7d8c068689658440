//! A collector in a process of its own that costs almost nothing: it reads frames, ignores their
//! content, and accepts.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// The argument that makes this program the collector.
pub(crate) const SINK: &str = "otlp-sink";

/// The process; it ends when this is dropped.
pub(super) struct Sink {
    addr: SocketAddr,
    process: Child,
}

impl Sink {
    pub(super) fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .arg(SINK)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut said = BufReader::new(process.stdout.take().expect("piped"));
        let mut addr = String::new();
        said.read_line(&mut addr).expect("a line");
        let addr = addr.trim().parse().expect("an address");
        Sink { addr, process }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // The process waits for the end of its input.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The collector. It prints where it listens, and serves until the end of its input.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The error says that the client closed the connection.
            std::thread::spawn(move || connection(stream));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

fn connection(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::with_capacity(1 << 18, stream.try_clone()?);
    // The preface of HTTP/2 begins like no other request (RFC 9113, 3.4).
    match input.fill_buf()?.starts_with(b"PRI") {
        true => http2(input, stream),
        false => http1(input, stream),
    }
}

fn http1(mut input: BufReader<TcpStream>, mut output: TcpStream) -> io::Result<()> {
    let (mut line, mut body) = (String::new(), 0);
    while input.read_line(&mut line)? > 0 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            body = value.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim().is_empty() {
            skip(&mut input, body)?;
            output.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
            )?;
        }
        line.clear();
    }
    Ok(())
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// The largest window there is (RFC 9113, 6.9.1).
const WINDOW: u32 = (1 << 31) - 1;

/// The part of HTTP/2 that gRPC needs here. Each complete request is answered with one empty
/// message and the status OK.
fn http2(mut input: BufReader<TcpStream>, mut output: TcpStream) -> io::Result<()> {
    // SETTINGS_INITIAL_WINDOW_SIZE (4), so that no sender waits.
    let mut settings = vec![0, 4];
    settings.extend(WINDOW.to_be_bytes());
    output.write_all(&frame(SETTINGS, 0, 0, &settings))?;
    output.write_all(&frame(WINDOW_UPDATE, 0, 0, &(WINDOW - 65_535).to_be_bytes()))?;
    skip(&mut input, 24)?;
    let mut received = 0;
    loop {
        let mut head = [0; 9];
        input.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let stream = u32::from_be_bytes(stream);
        match kind {
            SETTINGS if flags & ACK == 0 => {
                skip(&mut input, length.into())?;
                output.write_all(&frame(SETTINGS, ACK, 0, &[]))?;
            }
            PING if flags & ACK == 0 => {
                let mut opaque = [0; 8];
                input.read_exact(&mut opaque)?;
                output.write_all(&frame(PING, ACK, 0, &opaque))?;
            }
            _ => skip(&mut input, length.into())?,
        }
        if kind == DATA {
            received += length;
            if received > WINDOW / 2 {
                output.write_all(&frame(WINDOW_UPDATE, 0, 0, &received.to_be_bytes()))?;
                received = 0;
            }
            if flags & END_STREAM != 0 {
                output.write_all(&accepted(stream))?;
            }
        }
    }
}

/// `:status: 200` and `content-type: application/grpc`, an empty message, and `grpc-status: 0` (RFC
/// 7541, 6.1 and 6.2.2).
fn accepted(stream: u32) -> Vec<u8> {
    let head = [&[0x88, 0x0f, 0x10, 16], &b"application/grpc"[..]].concat();
    let trailers = [&[0, 11], &b"grpc-status"[..], &[1], b"0"].concat();
    [
        frame(HEADERS, END_HEADERS, stream, &head),
        frame(DATA, 0, stream, &[0; 5]),
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &trailers),
    ]
    .concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = (payload.len() as u32).to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn skip(input: &mut impl Read, bytes: u64) -> io::Result<()> {
    io::copy(&mut input.take(bytes), &mut io::sink()).map(drop)
}
