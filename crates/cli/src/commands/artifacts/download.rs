//! `mcpanel artifacts download`: to a file, a folder or stdout.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    pin::pin,
};

use clap::Args;
use mcpanel_api::{ArtifactId, artifact::Artifact};
use mcpanel_client::Client;

use crate::{
    Failure, Result,
    arguments::Format,
    commands::interrupted,
    exit::Exit,
    output::{self, form::Form, numbers::bytes},
};

/// What to fetch, and where to.
#[derive(Debug, Args)]
pub struct Download {
    /// Its id.
    artifact_id: ArtifactId,
    /// A file or a folder to write to, or `-` for stdout; a file of the artifact's name in this folder when left
    /// out.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

impl Download {
    /// Fetches it. A file under the wanted name is always a whole one.
    pub async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let artifact = client.get_artifact(&self.artifact_id).await?;
        let to_stdout = self.to.as_deref().is_some_and(|to| to.as_os_str() == "-");
        let mut stop = pin!(interrupted());
        if to_stdout {
            return tokio::select! {
                written = write_out(client, artifact) => written,
                () = &mut stop => Ok(Exit::Interrupted),
            };
        }
        let path = self.path(&artifact)?;
        let size = bytes(artifact.size_bytes);
        tokio::select! {
            done = client.download_to(artifact.clone(), &path) => done?,
            () = &mut stop => return Ok(Exit::Interrupted),
        }
        match form.format {
            Format::Table | Format::Wide | Format::Name => {
                output::line(&path.display().to_string())?
            }
            Format::Json => output::json(&artifact)?,
            Format::Jsonl => output::jsonl(&artifact)?,
            Format::Yaml => output::yaml::document(&artifact)?,
        }
        output::say(format_args!("{size}, digest checked"));
        Ok(Exit::Ok)
    }

    fn path(&self, artifact: &Artifact) -> Result<PathBuf> {
        let path = match &self.to {
            Some(to) if to.is_dir() => to.join(file_name(artifact)?),
            Some(to) => to.clone(),
            None => file_name(artifact)?,
        };
        if path.exists() && !self.force {
            return Err(
                Failure::new(format!("`{}` is there already", path.display()))
                    .exit(Exit::Conflict)
                    .hint("name another with `--to`, or write over it with `--force`"),
            );
        }
        Ok(path)
    }
}

async fn write_out(client: &Client, artifact: Artifact) -> Result {
    if io::stdout().is_terminal() && !is_text(&artifact.media_type) {
        return Err(Failure::usage(format!(
            "`{}` is {}, which is not for a terminal",
            artifact.name, artifact.media_type
        ))
        .hint("write it to a file with `--to FILE`, or into a pipe"));
    }
    let mut download = client.download(artifact);
    while let Some(chunk) = download.chunk().await? {
        io::stdout().lock().write_all(&chunk)?;
    }
    io::stdout().lock().flush()?;
    Ok(Exit::Ok)
}

fn is_text(media_type: &str) -> bool {
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("jsonl")
}

/// The artifact's name as a file of this folder, whatever a server may say.
fn file_name(artifact: &Artifact) -> Result<PathBuf> {
    let name = artifact.name.as_str();
    let is_plain = !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
        && Path::new(name).file_name().is_some_and(|last| last == name);
    if is_plain {
        return Ok(PathBuf::from(name));
    }
    Err(Failure::new(format!(
        "the artifact's name `{}` is no file name",
        name.escape_debug()
    ))
    .hint("name a file with `--to`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_the_folder() {
        let mut artifact: Artifact = serde_json::from_value(serde_json::json!({
            "artifact_id": "art_1", "namespace": "default", "index": 0, "name": "a.csv", "role": "input",
            "media_type": "text/csv", "size_bytes": 0, "sha256": "", "metadata": {}, "created_by": "key_1",
            "created_at": "2026-01-02T03:04:05.678Z"
        }))
        .unwrap();
        assert_eq!(file_name(&artifact).unwrap(), Path::new("a.csv"));
        for name in [
            "",
            ".",
            "..",
            "../a",
            "/etc/passwd",
            "a/b",
            ".hidden",
            "a\\b",
            "a\u{1b}b",
        ] {
            artifact.name = name.to_owned();
            assert!(file_name(&artifact).is_err(), "{name:?}");
        }
    }

    #[test]
    fn text_may_go_to_a_terminal() {
        for kind in [
            "text/csv; charset=utf-8",
            "application/json",
            "application/jsonl",
        ] {
            assert!(is_text(kind), "{kind}");
        }
        for kind in ["application/octet-stream", "application/gzip", ""] {
            assert!(!is_text(kind), "{kind}");
        }
    }
}
