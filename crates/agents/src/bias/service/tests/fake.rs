//! A service on the loopback device, answering as a test says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use serde_json::{Value, json};

/// What a request is answered with.
pub enum Reply {
    Answer(u16, String),
    Redirect(String),
    /// The connection ends without an answer.
    Hangup,
    /// The connection stays open.
    Never,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, "{}".to_owned())
    }

    /// The same note about every record, last record first.
    pub fn noting(request: &Value, sentiment: f64) -> Self {
        Self::of(request, |_| "gender/from_service".to_owned(), sentiment)
    }

    /// A group of its own for every record.
    pub fn own_group_each(request: &Value) -> Self {
        Self::of(request, |id| format!("group/{id}"), 0.0)
    }

    fn of(request: &Value, group: impl Fn(&str) -> String, sentiment: f64) -> Self {
        let records = request["records"].as_array().unwrap();
        let results: Vec<Value> = records
            .iter()
            .rev()
            .map(|record| {
                let group = group(record["id"].as_str().unwrap());
                json!({"id": record["id"], "groups": [group], "sentiment": sentiment, "advice": ["self_help"]})
            })
            .collect();
        let body = json!({"analyzer": "fake 1", "results": results});
        Self::Answer(200, body.to_string())
    }
}

type Asked = Arc<(Mutex<Vec<Value>>, Condvar)>;

/// The service. Its threads end with the test's process.
pub struct Fake {
    pub url: String,
    asked: Asked,
}

impl Fake {
    /// Answers request after request; `reply` is told the number of the request, from 0, and its body.
    pub fn start(reply: impl Fn(usize, &Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Asked::default();
        let seen = asked.clone();
        thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(body) = read(&stream) else { continue };
                let number = {
                    let mut all = seen.0.lock().unwrap();
                    all.push(body.clone());
                    seen.1.notify_all();
                    all.len() - 1
                };
                match reply(number, &body) {
                    Reply::Answer(status, text) => write(stream, status, "", &text),
                    Reply::Redirect(to) => write(stream, 307, &format!("location: {to}\r\n"), ""),
                    Reply::Hangup => drop(stream),
                    Reply::Never => hanging.push(stream),
                }
            }
        });
        Self { url, asked }
    }

    /// The bodies that came, in order.
    pub fn requests(&self) -> Vec<Value> {
        self.asked.0.lock().unwrap().clone()
    }

    /// Waits for the first request.
    pub fn until_asked(&self) {
        let all = self.asked.0.lock().unwrap();
        drop(self.asked.1.wait_while(all, |all| all.is_empty()).unwrap());
    }
}

fn read(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    assert!(first.starts_with("POST /analyze "), "{first}");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn write(mut stream: TcpStream, status: u16, header: &str, body: &str) {
    let length = body.len();
    // A caller that gave up does not read it.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}
