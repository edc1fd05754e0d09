//! Walking through the pages of a list.

use crate::query::{Listing, Page};

/// What all pages hold, in the order listed; each holds `limit` items at most.
pub async fn all_pages<T>(limit: usize, list: impl AsyncFn(Page) -> Listing<T>) -> Vec<T> {
    let mut seen = Vec::new();
    let mut page = Page::first(limit);
    loop {
        let listing = list(page.clone()).await;
        assert!(listing.items.len() <= limit);
        seen.extend(listing.items);
        match listing.next {
            Some(next) => page.after = Some(next),
            None => return seen,
        }
    }
}
