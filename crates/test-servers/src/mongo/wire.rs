//! One command to `mongod`, over a connection of its own.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use super::bson::Value;

/// The one kind of message that today's servers speak.
const OP_MSG: u32 = 2013;
/// Bytes before the document: length, numbers of request and answered request, kind, flags, kind of section.
const HEAD_BYTES: usize = 21;
/// Most bytes of an answer that are read; those of `hello` have a few hundred.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long a command may take. Initiating a set of three takes about a second.
const TIME_MAX: Duration = Duration::from_secs(20);
/// How long connecting may take: it is this machine, so a paused server shows itself quickly.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Runs a command in the database `admin`; says why where it did not succeed.
pub(super) fn command<const N: usize>(
    port: u16,
    fields: [(&str, Value); N],
) -> Result<Value, String> {
    let mut document = Value::document(fields);
    if let Value::Document(fields) = &mut document {
        fields.push(("$db".to_owned(), Value::from("admin")));
    }
    let answer = exchange(port, &document.encode()).map_err(|error| error.to_string())?;
    let answer = Value::decode(&answer).ok_or("it answered something that is no document")?;
    match (answer.field("ok"), answer.field("errmsg")) {
        (Some(Value::Double(ok)), _) if *ok == 1.0 => Ok(answer),
        (_, Some(Value::String(why))) => Err(why.clone()),
        _ => Err("it did not say why".to_owned()),
    }
}

fn exchange(port: u16, document: &[u8]) -> io::Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_MAX)?;
    stream.set_read_timeout(Some(TIME_MAX))?;
    stream.set_write_timeout(Some(TIME_MAX))?;

    let size = u32::try_from(HEAD_BYTES + document.len()).map_err(io::Error::other)?;
    let mut message = Vec::with_capacity(HEAD_BYTES + document.len());
    for part in [size, 1, 0, OP_MSG, 0] {
        message.extend(part.to_le_bytes());
    }
    message.push(0);
    message.extend(document);
    stream.write_all(&message)?;

    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head)?;
    let size = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let size = size
        .checked_sub(HEAD_BYTES)
        .filter(|size| *size <= ANSWER_BYTES_MAX)
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
