//! An output of a task: written to a file, uploaded when it is whole.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use mcpanel_api::{Name, artifact::ArtifactUpload};
use mcpanel_client::{IdempotencyKey, worker::Assignment};
use tokio::runtime::Handle;

use crate::job::{OutputRef, OutputSpec, OutputWriter};

/// An output on its way. Dropped unfinished, it leaves nothing but a file that goes with the task's folder.
pub(super) struct RemoteWriter {
    assignment: Assignment,
    runtime: Handle,
    spec: OutputSpec,
    index: u32,
    path: PathBuf,
    file: File,
}

impl RemoteWriter {
    pub(super) fn create(
        assignment: Assignment,
        runtime: Handle,
        spec: OutputSpec,
        index: u32,
        folder: &Path,
    ) -> io::Result<Self> {
        let path = folder.join(format!("output-{index}"));
        Ok(Self {
            assignment,
            runtime,
            spec,
            index,
            file: File::create_new(&path)?,
            path,
        })
    }
}

impl Write for RemoteWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OutputWriter for RemoteWriter {
    fn finish(mut self: Box<Self>, records: Option<u64>) -> io::Result<OutputRef> {
        self.file.flush()?;
        let role = Name::parse(self.spec.role)
            .map_err(|error| io::Error::other(format!("role `{}` {error}", self.spec.role)))?;
        let about = ArtifactUpload {
            name: self.spec.name.clone(),
            role: Some(role),
            task_id: Some(self.assignment.task().task_id.clone()),
            lease: Some(self.assignment.lease().to_owned()),
            index: Some(self.index),
            records,
            pipeline_id: None,
        };
        let key = IdempotencyKey::random();
        let upload =
            self.assignment
                .client()
                .upload_file(&self.path, self.spec.media_type, &about, &key);
        let artifact = self
            .runtime
            .block_on(upload)
            .map_err(|error| io::Error::other(error.chain()))?;
        // Space on the disk is for outputs that are still to come.
        let _ = std::fs::remove_file(&self.path);
        Ok(OutputRef {
            artifact_id: artifact.artifact_id.to_string(),
            name: artifact.name,
            size_bytes: artifact.size_bytes,
            digest: format!("sha256:{}", artifact.sha256),
        })
    }
}
