//! `mcpanel run`: the main job. A dataset goes through the six stages, and a folder comes out.
//!
//! ```text
//! DIR/dataset/train.jsonl, validation.jsonl, test.jsonl, README.md
//! DIR/report.json, report.html, checksums.sha256
//! DIR/rejects/, drops/, review/      what is not in the dataset, or should be looked at, and why
//! DIR/.mcpanel/                      the work in progress: server data, what was asked for; gone at the end
//! ```
//!
//! A server runs in this process; the six agents sign on over its API like anybody else's. Whatever ends the
//! process, the folder knows where it was, and `--resume` goes on with the same pipeline.

mod drive;
mod folder;
mod results;
mod summary;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use mcpanel_agents::{bias::service::ServiceUrl, runtime};
use mcpanel_client::Client;
use mcpanel_guard::secrets::Given;
use mcpanel_server::serve::{Instance, Running, Settings, start};
use serde_json::{Map, Value, json};
use tokio::{sync::watch, task::JoinHandle};

use super::{Interrupts, common::listening, serve::start_failed};
use crate::{
    Failure, Result,
    arguments::Global,
    connect,
    exit::{Exit, with_causes},
    output::{self, progress::Progress},
};
use drive::Ended;
use folder::{Asked, Folder};
use summary::Summary;

/// The parameter that names the service which measures bias.
const FLASK_API_URL: &str = "flask_api_url";

/// Where the results go when nothing is said.
const OUT_DEFAULT: &str = "mcpanel-out";

/// Turn a dataset into a training set: run the six stages over a file, and leave a folder.
#[derive(Debug, Args)]
#[command(after_help = "\
The file is CSV, JSON or JSONL, plain or gzipped; its format, encoding and columns are found out.
It needs a question (or title) and an answer; where columns have unusual names, say which is which:
  mcpanel run threads.csv --mapping question=post --mapping answer=reply")]
pub struct Run {
    /// The dataset.
    #[arg(required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// Where the results go; must be empty or missing.
    #[arg(long, value_name = "DIR", default_value = OUT_DEFAULT)]
    out: PathBuf,
    /// Decides which records go into which split; the same seed gives the same dataset.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Which column means what: question, title, answer, topics, people, question_id or upvotes.
    #[arg(long, value_name = "MEANING=COLUMN", value_parser = mapping)]
    mapping: Vec<(String, String)>,
    /// A service that measures bias in place of the built-in measures: asked at URL/analyze.
    #[arg(long, value_name = "URL", env = "FLASK_API_URL")]
    flask_api_url: Option<ServiceUrl>,
    /// Go on with what was begun in DIR.
    #[arg(long, conflicts_with_all = ["file", "seed", "mapping"])]
    resume: bool,
    /// Keep DIR/.mcpanel (server data with the raw file in it) after success.
    #[arg(long)]
    keep: bool,
    /// Where the API is served meanwhile; a free port when left out.
    #[arg(long, value_name = "ADDRESS", value_parser = listening::parse, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    http: SocketAddr,
}

impl Run {
    pub async fn execute(self, global: &Global) -> Result {
        let folder = match &self.file {
            Some(file) if !self.resume => Folder::begin(&self.out, &self.asked(file)?)?,
            _ => Folder::reopen(&self.out)?,
        };
        let mut interrupts = Interrupts::listen();
        let job = Job::start(&folder, self.http).await?;
        let outcome = job.run(&folder, &mut interrupts).await;
        match outcome? {
            Outcome::Done(summary) => {
                if !self.keep {
                    folder.remove_work()?;
                }
                summary.show(global.format())?;
                Ok(Exit::Ok)
            }
            Outcome::Interrupted => {
                let resume = format!("mcpanel run --resume --out {}", shown(folder.root()));
                output::say(format_args!("stopped; go on with `{resume}`"));
                Ok(Exit::Interrupted)
            }
            Outcome::BadInput(failure) => {
                folder.undo();
                Err(failure)
            }
        }
    }

    fn asked(&self, file: &Path) -> Result<Asked> {
        let mut parameters = Map::new();
        if let Some(seed) = self.seed {
            parameters.insert("seed".to_owned(), json!(seed));
        }
        if !self.mapping.is_empty() {
            let mapping: Map<String, Value> = self
                .mapping
                .iter()
                .map(|(meaning, column)| (meaning.clone(), json!(column)))
                .collect();
            parameters.insert("mapping".to_owned(), Value::Object(mapping));
        }
        if let Some(url) = &self.flask_api_url {
            parameters.insert(FLASK_API_URL.to_owned(), json!(url.to_string()));
        }
        Asked::of(file, parameters)
    }
}

/// How a run ended that nothing went wrong with.
enum Outcome {
    Done(Box<Summary>),
    Interrupted,
    BadInput(Failure),
}

/// A server and six agents in this process.
struct Job {
    server: Running,
    agents: JoinHandle<std::result::Result<(), runtime::Error>>,
    stop_agents: watch::Sender<bool>,
    client: Client,
}

impl Job {
    async fn start(folder: &Folder, http: SocketAddr) -> Result<Self> {
        let settings = Settings {
            data_dir: folder.data(),
            http,
            realtime: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            origins: Vec::new(),
            secrets: Given::default(),
            instance: Instance::default(),
        };
        let server = start(settings)
            .await
            .map_err(|error| start_failed(&error))?;
        let client = connect::ours(&server)?;
        let url = client.base_url();
        output::say(format_args!("API at {url}, docs at {url}/docs"));
        let (stop_agents, stopping) = watch::channel(false);
        let options = runtime::Options {
            scratch: Some(folder.scratch()),
            bias_service: bias_service(folder)?,
            ..runtime::Options::default()
        };
        let agents = tokio::spawn({
            let client = client.clone();
            async move { runtime::run_all(&client, &options, stopping).await }
        });
        Ok(Self {
            server,
            agents,
            stop_agents,
            client,
        })
    }

    /// Runs to the end, whatever it is, and stops everything in order.
    async fn run(mut self, folder: &Folder, interrupts: &mut Interrupts) -> Result<Outcome> {
        let mut progress = Progress::new(false);
        let work = async {
            match drive::to_the_end(&self.client, folder, &mut progress).await? {
                Ended::Completed(pipeline) => {
                    let summary = results::fetch(&self.client, &pipeline, folder).await?;
                    Ok(Outcome::Done(Box::new(summary)))
                }
                Ended::BadInput(failure) => Ok(Outcome::BadInput(failure)),
                Ended::Failed(failure) => Err(failure),
            }
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = interrupts.next() => {
                output::say("stopping: agents give back what they hold …");
                Ok(Outcome::Interrupted)
            }
            ended = &mut self.agents => Err(agents_ended(ended)),
        };
        progress.end();
        tokio::select! {
            () = self.stop() => outcome,
            // The second time is meant: what is acknowledged is on the disk already.
            () = interrupts.next() => Ok(Outcome::Interrupted),
        }
    }

    async fn stop(self) {
        self.stop_agents.send_replace(true);
        if !self.agents.is_finished()
            && let Ok(Err(error)) = self.agents.await
        {
            tracing::warn!(%error, "the agents did not end well");
        }
        self.server.stop().await;
    }
}

/// The service that this run was begun with: a run that goes on measures as it began, whatever the environment says
/// now.
fn bias_service(folder: &Folder) -> Result<Option<ServiceUrl>> {
    let asked = folder.asked.parameters.get(FLASK_API_URL);
    asked
        .and_then(Value::as_str)
        .map(|url| {
            ServiceUrl::parse(url)
                .map_err(|error| Failure::new(format!("`{FLASK_API_URL}` of this run: {error}")))
        })
        .transpose()
}

fn agents_ended(
    ended: std::result::Result<std::result::Result<(), runtime::Error>, tokio::task::JoinError>,
) -> Failure {
    match ended {
        Ok(Err(error)) => Failure::new(with_causes(&error)),
        Ok(Ok(())) => Failure::new("the agents ended before the work did"),
        Err(error) => Failure::new(format!("the agents broke: {error}")),
    }
}

/// Reads `question=post`.
fn mapping(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((meaning, column)) if !meaning.is_empty() && !column.is_empty() => {
            Ok((meaning.to_owned(), column.to_owned()))
        }
        _ => Err("it is written like `question=post`".to_owned()),
    }
}

/// A path as it can be typed again.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_whitespace) {
        format!("'{text}'")
    } else {
        text
    }
}
