//! Lists that are longer than a page.

use clap::Args;
use mcpanel_client::Result as Answer;

use super::watching::{Watching, look_on};
use crate::{
    Result,
    exit::Exit,
    output::{
        self,
        form::Form,
        listing::{Listing, Row},
    },
};

/// Largest page that the API gives.
const PAGE_ITEMS_MAX: u32 = 500;

/// How much of a list is shown.
#[derive(Debug, Clone, Copy, Args)]
pub struct Extent {
    /// Show at most so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least_one, allow_negative_numbers = true)]
    limit: u64,
    /// Show all there are.
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    #[command(flatten)]
    watching: Watching,
}

/// Reads how many.
fn at_least_one(text: &str) -> std::result::Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number, 1 or more; `--all` shows all".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// Where a page begins, and how long it is.
pub struct Page {
    /// How many to ask for.
    pub limit: Option<u32>,
    /// Where it begins.
    pub cursor: Option<String>,
}

impl Extent {
    /// Reads pages and writes them as they come; again and again where that is wanted. `read` answers a page's
    /// documents and where the next one begins.
    pub async fn show<T, F>(self, form: Form<'_>, mut read: F) -> Result
    where
        T: Row,
        F: AsyncFnMut(Page) -> Answer<(Vec<T>, Option<String>)>,
    {
        if self.watching.watch {
            return look_on(form, self.watching.every, async || {
                let mut found = Vec::new();
                self.pages(&mut read, |page| {
                    found.extend(page);
                    Ok(())
                })
                .await?;
                Ok(found)
            })
            .await;
        }
        let mut listing = Listing::new(form)?;
        let has_more = self.pages(&mut read, |page| listing.add(&page)).await?;
        let shown = listing.finish()?;
        if has_more {
            output::say(format_args!(
                "there are more than these {shown}: give filters, `--limit` or `--all`"
            ));
        }
        Ok(Exit::Ok)
    }

    /// Reads pages until there are enough; answers whether there are more.
    async fn pages<T, F>(
        self,
        read: &mut F,
        mut take: impl FnMut(Vec<T>) -> Result<()>,
    ) -> Result<bool>
    where
        F: AsyncFnMut(Page) -> Answer<(Vec<T>, Option<String>)>,
    {
        let mut left = if self.all { u64::MAX } else { self.limit };
        let mut cursor = None;
        loop {
            let limit = u32::try_from(left).unwrap_or(u32::MAX).min(PAGE_ITEMS_MAX);
            let page = Page {
                limit: Some(limit),
                cursor: cursor.take(),
            };
            let (documents, next) = read(page).await?;
            left = left.saturating_sub(documents.len() as u64);
            take(documents)?;
            match next {
                Some(next) if left > 0 => cursor = Some(next),
                next => return Ok(next.is_some()),
            }
        }
    }
}
