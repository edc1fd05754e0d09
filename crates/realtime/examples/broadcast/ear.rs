//! A client that costs next to nothing, so that what is measured is the server: it writes its handshake by hand, and reads
//! frames without looking at more of them than it needs.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Room for the events that come at once.
const READ_BYTES: usize = 4 * 1024;

/// The head of a frame with a short text, and of a masked one; and the mask that changes nothing.
pub const TEXT: u8 = 0x81;
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];

/// From this on, the length of a frame has two bytes of its own.
pub const LONG: usize = 126;

/// A client that follows everything.
pub struct Ear {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Ear {
    /// Connects and subscribes.
    pub async fn open(address: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let upgrade = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(upgrade.as_bytes()).await?;
        let mut read = Vec::with_capacity(READ_BYTES);
        let head = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            fill(&mut stream, &mut read).await?;
        };
        read.drain(..head);
        let mut ear = Self { stream, read };
        ear.say(r#"40{"token":"any"}"#).await?;
        ear.until("40").await?;
        ear.say(r#"420["subscribe","namespace"]"#).await?;
        ear.until("430").await?;
        Ok(ear)
    }

    /// Waits for an event, and gives what `take` finds in it. Answers pings.
    pub async fn hear<T>(&mut self, take: impl Fn(&[u8]) -> Option<T>) -> io::Result<T> {
        loop {
            let size = self.frame().await?;
            let text = &self.read[size.0..size.1];
            let (is_ping, found) = (text == b"2", take(text));
            self.read.drain(..size.1);
            if is_ping {
                self.say("3").await?;
            }
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    async fn until(&mut self, prefix: &str) -> io::Result<()> {
        self.hear(|text| text.starts_with(prefix.as_bytes()).then_some(()))
            .await
    }

    /// Waits for a whole frame; where its text begins and ends.
    async fn frame(&mut self) -> io::Result<(usize, usize)> {
        loop {
            let begin_and_length = match self.read[..] {
                [_, length, ..] if usize::from(length) < LONG => Some((2, usize::from(length))),
                [_, _, high, low, ..] => Some((4, usize::from(u16::from_be_bytes([high, low])))),
                _ => None,
            };
            if let Some((begin, length)) = begin_and_length
                && self.read.len() >= begin + length
            {
                return Ok((begin, begin + length));
            }
            fill(&mut self.stream, &mut self.read).await?;
        }
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        let length = u8::try_from(text.len()).ok();
        let length = length.filter(|length| usize::from(*length) < LONG);
        let length = length.expect("what an ear says is short");
        let mut frame = vec![TEXT, MASKED | length];
        frame.extend(MASK);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await
    }
}

async fn fill(stream: &mut TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(read).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
