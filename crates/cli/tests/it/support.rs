//! The binary, started as a person would, and a folder that goes when the test does.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use mcpanel_client::{Client, Config, Credential};

/// Longer than anything takes, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// Variables of other names that the binary reads.
const OURS: [&str; 7] = [
    "JWT_SECRET",
    "MONGODB_URI",
    "REDIS_URL",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FLASK_API_URL",
];

/// The binary without whatever the environment of the test would tell it.
pub fn mcpanel<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcpanel"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("MCPANEL_") || OURS.contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
    // Nobody's contexts are a test's.
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-configuration");
    command.env("XDG_CONFIG_HOME", nowhere);
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs it in `folder` to its end.
pub fn run_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(folder: &Path, arguments: I) -> Output {
    mcpanel(arguments).current_dir(folder).output().unwrap()
}

/// What it said on stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The dataset of the README.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/counselling-sample.csv")
}

/// A process whose stderr is read line by line. Killed when it is dropped.
pub struct Watched {
    child: Child,
    lines: mpsc::Receiver<String>,
    pub heard: Vec<String>,
}

impl Watched {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        Self {
            child,
            lines: listen(stderr),
            heard: Vec::new(),
        }
    }

    /// Waits for a line with this in it; none when the process ended without.
    pub fn wait_for(&mut self, text: &str) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if line.contains(text) {
                        return Some(line);
                    }
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("never said `{text}`: {:?}", self.heard)
                }
            }
        }
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ctrl-C.
    #[cfg(unix)]
    pub fn interrupt(&mut self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; its exit code.
    pub fn end(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.heard.extend(self.lines.iter());
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("does not end: {:?}", self.heard);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stderr: ChildStderr) -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stderr);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            if send.send(line.trim_end().to_owned()).is_err() {
                break;
            }
            line.clear();
        }
        // A pipe that nobody empties would stop the process.
        let _ = reader.read_to_end(&mut Vec::new());
    });
    lines
}

/// `mcpanel serve` on a free port.
pub struct Server {
    pub process: Watched,
    pub url: String,
    key: String,
}

impl Server {
    pub fn start(data: &Path) -> Self {
        let mut command = mcpanel([
            "serve",
            "--http",
            "127.0.0.1:0",
            "--realtime",
            "127.0.0.1:0",
        ]);
        let mut process = Watched::start(command.arg("--data").arg(data));
        let line = process
            .wait_for("serving http://")
            .unwrap_or_else(|| panic!("does not serve: {:?}", process.heard));
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap()
            .trim_end_matches(',')
            .to_owned();
        let key = std::fs::read_to_string(data.join("admin.key"))
            .unwrap()
            .trim()
            .to_owned();
        Self { process, url, key }
    }

    /// A client for the administrator that does not repeat itself.
    pub fn client(&self) -> Client {
        let config = Config::new(&self.url, Credential::ApiKey(self.key.clone()));
        Client::new(config).unwrap().with_patience(Duration::ZERO)
    }
}
