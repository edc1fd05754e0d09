//! Pages of lists, between cursors on the wire and positions in the store.

use mcpanel_domain::{
    Timestamp,
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};
use mcpanel_store::query::{Listing, Page, Position};

use crate::{cursor::Cursor, error::ApiResult};

/// The page of the list called `list` that a query asks for.
pub fn page(list: &str, limit: Option<u32>, cursor: Option<&str>) -> ApiResult<Page> {
    let after = match cursor {
        None => None,
        Some(text) => {
            let cursor = Cursor::decode(text, list)?;
            Some(Position {
                created_at: Timestamp::from_ms(cursor.key),
                id: cursor.id,
            })
        }
    };
    Ok(Page {
        after,
        limit: size(limit),
    })
}

/// How many items a page has.
pub fn size(limit: Option<u32>) -> usize {
    limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX) as usize
}

/// The `next_cursor` of a page of the list called `list`.
pub fn next_cursor(list: &str, next: Option<Position>) -> Option<String> {
    next.map(|next| Cursor::after(next.created_at.as_ms(), next.id).encode(list))
}

/// Cuts a page out of a list that is short enough to be read whole. Newest first, like every list.
pub fn cut<T>(items: Vec<T>, page: &Page, position: impl Fn(&T) -> Position) -> Listing<T> {
    let mut placed: Vec<(Position, T)> = items
        .into_iter()
        .map(|item| (position(&item), item))
        .filter(|(at, _)| page.after.as_ref().is_none_or(|after| at < after))
        .collect();
    placed.sort_by(|(one, _), (other, _)| other.cmp(one));
    let more = placed.len() > page.limit;
    placed.truncate(page.limit);
    let next = placed
        .last()
        .filter(|_| more)
        .map(|(position, _)| position.clone());
    Listing {
        items: placed.into_iter().map(|(_, item)| item).collect(),
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_whole_list_show_every_item_once_newest_first() {
        let items: Vec<(i64, String)> = (0..7).map(|n| (n / 3, format!("id{n}"))).collect();
        let position = |(ms, id): &(i64, String)| Position {
            created_at: Timestamp::from_ms(*ms),
            id: id.clone(),
        };
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = page("things", Some(2), cursor.as_deref()).unwrap();
            let listing = cut(items.clone(), &page, position);
            seen.extend(listing.items);
            match next_cursor("things", listing.next) {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        let expected: Vec<_> = items.into_iter().rev().collect();
        assert_eq!(seen, expected);
    }
}
