//! The floor: a server that keeps nobody apart, bounds nothing and only sends, so that what the machine itself takes for so many
//! sends and receipts stands beside what the edge takes.

use std::io;

use mcpanel_api::event::Event;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::ear::{LONG, TEXT};

/// The longest text whose length has two bytes.
const LENGTH_MAX: &str = "an event of this example is far shorter than 64 KiB";

/// Those who listen.
pub struct Bare(Vec<TcpStream>);

impl Bare {
    /// Waits until so many are there, and answers what an ear says before it listens.
    pub async fn open(listener: &TcpListener, clients: u64) -> io::Result<Self> {
        let mut streams = Vec::new();
        while (streams.len() as u64) < clients {
            let (mut stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // Who only looks whether somebody is there leaves again.
            if is_ear(&mut stream).await? {
                streams.push(stream);
            }
        }
        Ok(Self(streams))
    }

    /// Sends an event to all: encoded once, one call of the system for each.
    pub async fn tell(&mut self, event: &Event) -> io::Result<()> {
        let body = serde_json::to_string(event)?;
        let frame = frame(&format!(r#"42["{}",{body}]"#, event.kind));
        for stream in &mut self.0 {
            stream.write_all(&frame).await?;
        }
        Ok(())
    }
}

/// Takes each of an ear's three sayings for what it must be: an ear waits for the answer before it says more.
async fn is_ear(stream: &mut TcpStream) -> io::Result<bool> {
    let upgraded = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
    for answer in [upgraded, frame("40{}"), frame("430[]")] {
        if stream.read(&mut [0; 1_024]).await? == 0 {
            return Ok(false);
        }
        stream.write_all(&answer).await?;
    }
    Ok(true)
}

fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![TEXT];
    match u8::try_from(text.len()) {
        Ok(length) if usize::from(length) < LONG => frame.push(length),
        _ => {
            frame.push(LONG as u8);
            frame.extend(u16::try_from(text.len()).expect(LENGTH_MAX).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}
