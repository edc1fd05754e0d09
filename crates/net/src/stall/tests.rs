//! Lines whose readers read slowly, or not at all.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    net::TcpListener,
    sync::Semaphore,
    time::sleep,
};

use super::*;

const LONGEST: Duration = Duration::from_secs(30);

impl Line for DuplexStream {
    fn cut(&self) {}
}

/// A line, and where it has its place.
fn line<S: Line>(inner: S) -> (Unstalled<S>, Arc<Semaphore>) {
    let places = Arc::new(Semaphore::new(1));
    let place = places.clone().try_acquire_owned().unwrap();
    (Unstalled::new(inner, LONGEST, place), places)
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_does_not_read_is_given_up() {
    let (near, _reader) = duplex(64);
    let (mut line, places) = line(near);
    let begun = Instant::now();
    let written = line.write_all(&[0; 65]).await;
    assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed(), LONGEST);
    drop(line);
    assert_eq!(places.available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_reads_slowly_is_waited_for() {
    let (near, mut reader) = duplex(64);
    let (mut line, _places) = line(near);
    let writing = tokio::spawn(async move { line.write_all(&[0; 256]).await });
    for _ in 0..4 {
        sleep(LONGEST - Duration::from_secs(1)).await;
        reader.read_exact(&mut [0; 64]).await.unwrap();
    }
    writing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_is_cut_in_both_directions() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let peer = TcpStream::connect(address).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (line, places) = line(stream);
    let (mut reader, mut writer) = split(line);
    // From here on time passes whenever everybody waits.
    tokio::time::pause();
    let reading = tokio::spawn(async move { reader.read(&mut [0; 16]).await });
    let error = loop {
        if let Err(error) = writer.write_all(&[7; 64 * 1024]).await {
            break error;
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(matches!(reading.await.unwrap(), Ok(0) | Err(_)));
    drop(writer);
    assert_eq!(places.available_permits(), 1);
    drop(peer);
}
