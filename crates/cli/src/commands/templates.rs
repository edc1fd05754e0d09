//! `mcpanel templates`: versioned descriptions of pipelines.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mcpanel_api::{
    TemplateId, Timestamp,
    page::PageQuery,
    template::{NewTemplate, StageDefinition, Template},
};
use mcpanel_client::Client;

use super::common::{
    self,
    documents::Documents,
    json,
    pages::{Extent, Page},
};
use crate::{
    Result,
    arguments::Global,
    exit::Exit,
    output::{
        self,
        cell::{Cell, text},
        durations,
        form::Form,
        listing::{self, Row, word},
    },
};

/// See and store templates of pipelines.
#[derive(Debug, Subcommand)]
pub enum Templates {
    /// List templates, the newest version of each.
    List {
        #[command(flatten)]
        extent: Extent,
    },
    /// Show a template and its stages.
    Get {
        /// Its id.
        template_id: TemplateId,
        /// The version; the newest when left out.
        #[arg(long = "template-version", value_name = "N")]
        version: Option<u32>,
    },
    /// Store a template, or a new version of one.
    Create(Create),
}

/// What to store.
#[derive(Debug, Args)]
pub struct Create {
    /// A file with the template as the API takes it, a JSON object; `-` for stdin.
    file: PathBuf,
    /// Creating again under the same key gives the same version. Random when left out.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Look at it as a server would, write what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Templates {
    /// Does it.
    pub async fn execute(self, global: &Global) -> Result {
        let form = global.form();
        let client = common::client(global)?;
        match self {
            Self::List { extent } => {
                let read = async |page: Page| {
                    let query = PageQuery {
                        limit: page.limit,
                        cursor: page.cursor,
                    };
                    let page = client.list_templates(&query).await?;
                    Ok((page.templates, page.next_cursor))
                };
                extent.show(form, read).await
            }
            Self::Get {
                template_id,
                version,
            } => {
                show(form, &client.get_template(&template_id, version).await?)?;
                Ok(Exit::Ok)
            }
            Self::Create(create) => create.execute(&client, form).await,
        }
    }
}

impl Create {
    async fn execute(self, client: &Client, form: Form<'_>) -> Result {
        let key = common::key(self.idempotency_key.as_deref())?;
        let template = Documents::<NewTemplate>::open(&self.file)?.only()?;
        if self.dry_run {
            let template = json::tried(&template, mcpanel_server::trial::new_template)?;
            output::json(&template)?;
            return Ok(Exit::Ok);
        }
        show(form, &client.create_template(&template, &key).await?)?;
        Ok(Exit::Ok)
    }
}

/// Writes a template, and for people its stages.
fn show(form: Form<'_>, template: &Template) -> Result<()> {
    listing::one(form, template)?;
    // Columns that are named are those of the template.
    if form.format.is_table() && form.columns.is_empty() {
        output::line("")?;
        listing::many(form, &template.stages)?;
    }
    Ok(())
}

impl Row for Template {
    const HEADER: &'static [&'static str] = &[
        "TEMPLATE",
        "VERSION",
        "STAGES",
        "CREATED",
        "CREATED BY",
        "DESCRIPTION",
    ];

    fn name(&self) -> String {
        self.template_id.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            text(&self.template_id),
            text(self.version),
            text(self.stages.len()),
            // The built-in ones were never made.
            Some(self.created_at)
                .filter(|time| *time > Timestamp::ZERO)
                .into(),
            self.created_by.as_str().into(),
            Cell::long(&self.description),
        ]
    }
}

impl Row for StageDefinition {
    const HEADER: &'static [&'static str] = &["STAGE", "NAME", "TYPE", "MODE", "AFTER", "TIMEOUT"];

    fn name(&self) -> String {
        self.stage.to_string()
    }

    fn cells(&self) -> Vec<Cell> {
        let timeout = self
            .timeout_ms
            .map(|ms| durations::show(std::time::Duration::from_millis(ms)));
        vec![
            text(self.stage),
            self.name.as_str().into(),
            text(&self.task_type),
            Cell::from(word(self.mode)),
            Cell::words(&self.dependencies),
            timeout.into(),
        ]
    }
}
