//! One server process, and the shell that sees to its end.
//!
//! The shell starts the server and then reads orders from a pipe. The pipe ends when we close it or when the kernel does
//! because we are gone: either way the server is killed and its folder removed. Orders also go through the shell
//! because it is the server's parent: a number that it holds as a child cannot be another process.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use crate::Error;

/// `$1` is the folder to remove at the end, `$2` the log, the rest the command.
const WATCHER: &str = r#"
folder=$1; log=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
child=$!
echo "$child"
while read -r order <&3; do
    case $order in
        pause) kill -STOP "$child"; echo paused ;;
        resume) kill -CONT "$child"; echo resumed ;;
        terminate) kill -TERM "$child"; echo terminating ;;
        wait) wait "$child" 2>/dev/null; echo "ended $?"; exit 0 ;;
        kill) kill -KILL "$child"; wait "$child" 2>/dev/null; echo killed; exit 0 ;;
    esac
done
kill -KILL "$child"
wait "$child"
[ -z "$folder" ] || rm -rf "$folder"
"#;

/// How long between two looks at whether a server is ready.
const READY_PAUSE: Duration = Duration::from_millis(50);
/// Lines of a log that an error shows.
const LOG_LINES: usize = 15;

/// What to start.
#[derive(Debug, Clone)]
pub struct Launch {
    /// What messages call it.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Added to the environment.
    pub environment: Vec<(String, String)>,
    /// Where it writes what it says; appended.
    pub log: PathBuf,
    /// A folder that goes with the process, if there is one.
    pub folder: Option<PathBuf>,
}

/// A running process. Dropping it kills it and removes its folder.
#[derive(Debug)]
pub struct Process {
    launch: Launch,
    watcher: Option<Watcher>,
}

#[derive(Debug)]
struct Watcher {
    shell: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pid: u32,
}

impl Process {
    /// Starts it; it need not be ready when this returns.
    pub fn start(launch: Launch) -> Result<Self, Error> {
        let watcher = Watcher::start(&launch)?;
        Ok(Self {
            launch,
            watcher: Some(watcher),
        })
    }

    /// The number of the process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.watcher.as_ref().map(|watcher| watcher.pid)
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.launch.name
    }

    /// Kills it (SIGKILL) and waits for its end. Its folder stays, for [`Process::start_again`].
    pub fn kill(&mut self) -> Result<(), Error> {
        let Some(mut watcher) = self.watcher.take() else {
            return Ok(());
        };
        let told = watcher.order(&self.launch.name, "kill").map(drop);
        watcher.end();
        told
    }

    /// Stops it in its tracks (SIGSTOP): its connections stay open and nothing answers.
    pub fn pause(&mut self) -> Result<(), Error> {
        self.order("pause")
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&mut self) -> Result<(), Error> {
        self.order("resume")
    }

    /// Asks it to stop (SIGTERM). [`Process::wait`] waits for that.
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.order("terminate")
    }

    /// Waits for its end within that time, and tells its exit code (128 and the signal, where one ended it); `None`
    /// when it still runs. Its folder stays.
    pub fn wait(&mut self, within: Duration) -> Result<Option<i32>, Error> {
        let until = Instant::now() + within;
        // Not left to the shell alone: while it waits it cannot hear that we are gone.
        while self.is_alive() {
            if Instant::now() >= until {
                return Ok(None);
            }
            std::thread::sleep(READY_PAUSE);
        }
        let Some(mut watcher) = self.watcher.take() else {
            return Ok(None);
        };
        let answer = watcher.order(&self.launch.name, "wait")?;
        watcher.end();
        let code = answer.strip_prefix("ended ").map(str::parse);
        Ok(code.and_then(Result::ok))
    }

    /// Starts it anew with the same arguments, data and port, after a [`Process::kill`].
    pub fn start_again(&mut self) -> Result<(), Error> {
        self.kill()?;
        self.watcher = Some(Watcher::start(&self.launch)?);
        Ok(())
    }

    /// Waits until `attempt` succeeds. It fails early when the process ends.
    pub fn ready<T>(
        &self,
        within: Duration,
        mut attempt: impl FnMut() -> Result<T, String>,
    ) -> Result<T, Error> {
        let until = Instant::now() + within;
        loop {
            let why = match attempt() {
                Ok(value) => return Ok(value),
                Err(why) => why,
            };
            let why = match self.is_alive() {
                true if Instant::now() < until => {
                    std::thread::sleep(READY_PAUSE);
                    continue;
                }
                true => format!("{why} (after {} s)", within.as_secs()),
                false => format!("it ended ({why})"),
            };
            return Err(Error::NotReady {
                name: self.launch.name.clone(),
                why,
                log: self.log_end(),
            });
        }
    }

    /// Whether the process is there and not a dead child that waits to be reaped.
    pub fn is_alive(&self) -> bool {
        let Some(pid) = self.pid() else { return false };
        match fs::read_to_string(format!("/proc/{pid}/status")) {
            Ok(status) => !status
                .lines()
                .any(|line| line.starts_with("State:") && line.contains('Z')),
            // Systems without /proc: believe it, the wait is bounded.
            Err(_) => !PathBuf::from("/proc/self").exists(),
        }
    }

    /// The last lines that it wrote.
    pub fn log_end(&self) -> String {
        let bytes = fs::read(&self.launch.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn order(&mut self, order: &str) -> Result<(), Error> {
        match &mut self.watcher {
            Some(watcher) => watcher.order(&self.launch.name, order).map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        match self.watcher.take() {
            Some(mut watcher) => watcher.end(),
            // Killed before, so nobody else removes what it kept.
            None => {
                if let Some(folder) = &self.launch.folder {
                    fs::remove_dir_all(folder).ok();
                }
            }
        }
    }
}

impl Watcher {
    fn start(launch: &Launch) -> Result<Self, Error> {
        let mut shell = Command::new("sh")
            .args(["-c", WATCHER, "watcher"])
            .arg(launch.folder.as_deref().unwrap_or("".as_ref()))
            .arg(&launch.log)
            .args(&launch.command)
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            // A Ctrl-C in the terminal is for us alone: the watcher must outlive us to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Error::Start {
                program: "sh".into(),
                source,
            })?;
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("the output is piped"));
        let mut watcher = Self {
            shell,
            orders,
            answers,
            pid: 0,
        };
        let line = watcher.answer(&launch.name)?;
        watcher.pid = line.parse().map_err(|_| Error::Start {
            program: launch.command.first().cloned().unwrap_or_default().into(),
            source: std::io::Error::other(format!("the watcher said `{line}`")),
        })?;
        Ok(watcher)
    }

    fn order(&mut self, name: &str, order: &str) -> Result<String, Error> {
        let orders = self.orders.as_mut().expect("open until the end");
        writeln!(orders, "{order}").map_err(|source| Error::Watcher {
            name: name.to_owned(),
            source,
        })?;
        self.answer(name)
    }

    fn answer(&mut self, name: &str) -> Result<String, Error> {
        let gone = |source| Error::Watcher {
            name: name.to_owned(),
            source,
        };
        let mut line = String::new();
        match self.answers.read_line(&mut line).map_err(gone)? {
            0 => Err(gone(std::io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(line.trim().to_owned()),
        }
    }

    /// Closes the pipe and waits until the shell has cleaned up.
    fn end(&mut self) {
        self.orders = None;
        self.shell.wait().ok();
    }
}

#[cfg(test)]
mod tests;
