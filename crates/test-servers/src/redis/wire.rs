//! One command to `redis-server`, over a connection of its own.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// How long a command may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Most bytes of one text in an answer.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Runs a command; the answer as text, one line per element.
pub(super) fn command(port: u16, words: &[&str]) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIME_MAX)?;
    stream.set_read_timeout(Some(TIME_MAX))?;
    stream.set_write_timeout(Some(TIME_MAX))?;

    let mut message = format!("*{}\r\n", words.len());
    for word in words {
        message.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(message.as_bytes())?;
    let mut lines = Vec::new();
    read(&mut BufReader::new(stream), &mut lines)?;
    Ok(lines.join("\n"))
}

fn read(from: &mut impl BufRead, lines: &mut Vec<String>) -> io::Result<()> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim_end();
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::InvalidData)?;
    match kind {
        "+" | ":" => lines.push(rest.to_owned()),
        "-" => return Err(io::Error::other(rest.to_owned())),
        // Minus one stands for nothing.
        "$" | "*" if rest == "-1" => lines.push(String::new()),
        "$" => lines.push(text(from, rest)?),
        "*" => {
            for _ in 0..rest.parse::<usize>().map_err(io::Error::other)? {
                read(from, lines)?;
            }
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }
    Ok(())
}

fn text(from: &mut impl Read, length: &str) -> io::Result<String> {
    let length: usize = length.parse().map_err(io::Error::other)?;
    if length > TEXT_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length + 2];
    from.read_exact(&mut bytes)?;
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: &[u8]) -> io::Result<String> {
        let mut lines = Vec::new();
        read(&mut &bytes[..], &mut lines)?;
        Ok(lines.join("\n"))
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        assert_eq!(answer(b"+PONG\r\n").unwrap(), "PONG");
        assert_eq!(answer(b":17\r\n").unwrap(), "17");
        assert_eq!(answer(b"$-1\r\n").unwrap(), "");
        assert_eq!(answer(b"$3\r\na\nb\r\n").unwrap(), "a\nb");
        assert_eq!(answer(b"*2\r\n$1\r\na\r\n*1\r\n:2\r\n").unwrap(), "a\n2");
    }

    #[test]
    fn a_refusal_and_a_cut_answer_are_errors() {
        let refused = answer(b"-ERR no such command\r\n").unwrap_err();
        assert_eq!(refused.to_string(), "ERR no such command");
        assert!(answer(b"$5\r\nab").is_err());
        assert!(answer(b"").is_err());
    }
}
