//! A person at a shell beside a server of their own.

use std::{
    io::Write,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use mcpanel_api::{
    AgentId, Name,
    agent::{AgentRegistered, Claim, RegisterAgent},
    task::Task,
};
use mcpanel_client::{Client, Credential, IdempotencyKey};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Server, mcpanel};

/// A server, and a folder to be in.
pub struct Shell {
    pub server: Server,
    pub folder: TempDir,
    data: TempDir,
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            server: Server::start(data.path()),
            folder: tempfile::tempdir().unwrap(),
            data,
        }
    }

    /// The binary, told where the server is and where its key lies.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = mcpanel(arguments);
        command
            .current_dir(self.folder.path())
            .env("MCPANEL_URL", &self.server.url)
            .env("MCPANEL_DATA", self.data.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs it with this on stdin.
    pub fn feed(&self, arguments: &[&str], text: &str) -> Ran {
        let mut child = self.start(arguments);
        // A command that refuses early does not read it all.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        Ran::of(child.wait_with_output().unwrap())
    }

    /// Starts it with pipes on all sides.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A file in the folder.
    pub fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What the file holds.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Signs an agent on that offers this.
    pub async fn agent(&self, id: &str, capability: &str) -> Agent {
        let client = self.server.client();
        let registration = RegisterAgent {
            agent_id: AgentId::parse(id).ok(),
            name: id.to_owned(),
            kind: Name::parse("tester").unwrap(),
            capabilities: vec![Name::parse(capability).unwrap()],
            concurrency: Some(4),
            version: None,
            endpoint_url: None,
            health_check_url: None,
            metadata: None,
        };
        let AgentRegistered { agent, token, .. } = client
            .register_agent(&registration, &IdempotencyKey::random())
            .await
            .unwrap();
        Agent {
            id: agent.agent_id,
            client: client.with_credential(Credential::Token(token)).unwrap(),
        }
    }
}

/// An agent that does what a test tells it.
pub struct Agent {
    pub id: AgentId,
    pub client: Client,
}

impl Agent {
    /// Takes a task.
    pub async fn claim(&self) -> Task {
        let claim = Claim {
            max: Some(1),
            wait_ms: Some(5_000),
        };
        let mut claimed = self.client.claim(&self.id, &claim).await.unwrap();
        claimed.tasks.pop().expect("there is work")
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What it wrote, when all went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// What it complained, when it ended with this code and wrote nothing to stdout.
    #[track_caller]
    pub fn refused(self, code: i32) -> String {
        assert_eq!(
            (self.code, self.out.as_str()),
            (Some(code), ""),
            "{}",
            self.err
        );
        self.err
    }

    /// The document it wrote.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// The documents it wrote, one a line.
    #[track_caller]
    pub fn jsonl(self) -> Vec<Value> {
        self.ok()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The lines it wrote.
    #[track_caller]
    pub fn lines(self) -> Vec<String> {
        self.ok().lines().map(str::to_owned).collect()
    }
}

/// Text without what differs from run to run: request ids, moments, and the address.
pub fn masked(text: &str, server: &Server) -> String {
    let text = text.replace(&server.url, "http://SERVER");
    let word = |word: &str| {
        let is_moment = word.len() == "2026-01-02T03:04:05.678Z".len()
            && word.ends_with('Z')
            && word.as_bytes()[10] == b'T';
        match word {
            _ if is_moment => "MOMENT".to_owned(),
            word if word.starts_with("req_") => "req_…".to_owned(),
            word => word.to_owned(),
        }
    };
    text.split_inclusive([' ', '\t', '\n'])
        .map(|piece| {
            let bare = piece.trim_end_matches([' ', '\t', '\n']);
            word(bare) + &piece[bare.len()..]
        })
        .collect()
}

/// A moment for something to have begun elsewhere; no test depends on its being long enough for more than its own
/// sharpness.
pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
