//! A server of ours, as one of several over the same MongoDB and Redis.

use std::{
    ffi::OsString,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Error, Launch, Process, place};

/// How long an instance may take to be ready, also while others use the machine.
const READY_MAX: Duration = Duration::from_secs(120);
/// How long it may take to say whether it is.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What an instance is started with.
#[derive(Debug, Clone)]
pub struct InstancePlan {
    /// What messages call it.
    pub name: String,
    /// The program: `mcpanel`.
    pub binary: PathBuf,
    /// More arguments of `mcpanel serve`.
    pub arguments: Vec<OsString>,
    /// Its environment: where MongoDB and Redis are, and the secrets.
    pub environment: Vec<(String, String)>,
}

/// A running instance. It ends when it is dropped.
#[derive(Debug)]
pub struct Instance {
    /// Its process.
    pub process: Process,
    http: u16,
    realtime: u16,
}

impl InstancePlan {
    /// A plan without anything but the program.
    pub fn new(name: impl Into<String>, binary: &Path) -> Self {
        Self {
            name: name.into(),
            binary: binary.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Starts it; it need not be ready when this returns.
    pub fn start(self) -> Result<Instance, Error> {
        let folder = place::run_folder("instance")?;
        let (http, realtime) = (place::free_port()?, place::free_port()?);
        let ip = Ipv4Addr::LOCALHOST;
        let mut command: Vec<OsString> = vec![
            self.binary.into(),
            "serve".into(),
            "--data".into(),
            folder.join("data").into(),
            "--http".into(),
            format!("{ip}:{http}").into(),
            "--realtime".into(),
            format!("{ip}:{realtime}").into(),
        ];
        command.extend(self.arguments);
        let process = Process::start(Launch {
            name: self.name,
            command,
            environment: self.environment,
            log: folder.join("log"),
            folder: Some(folder),
        })?;
        Ok(Instance {
            process,
            http,
            realtime,
        })
    }
}

impl Instance {
    /// Waits until it takes changes.
    pub fn ready(&self) -> Result<(), Error> {
        self.process.ready(READY_MAX, || {
            match self
                .get("/health/ready")
                .map_err(|error| error.to_string())?
            {
                (200, _) => Ok(()),
                (other, _) => Err(format!("it answers {other}")),
            }
        })
    }

    /// Waits until it listens for sockets: all that one of the role `realtime` alone does.
    pub fn listens_for_sockets(&self) -> Result<(), Error> {
        self.process.ready(READY_MAX, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.realtime))
                .map(drop)
                .map_err(|error| error.to_string())
        })
    }

    /// Status and body of the answer to a request without a credential.
    pub fn get(&self, path: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.http))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("that is no HTTP"))?;
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((status, body.to_owned()))
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.http)
    }

    /// Where its sockets are, as `host:port`.
    pub fn sockets(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.realtime)
    }
}
