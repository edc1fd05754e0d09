//! Who did something, by the name that people know: a key's own, for those who may see keys, and for whoever holds it.

use std::{collections::HashMap, sync::Arc};

use maud::{Markup, html};
use mcpanel_domain::key::ApiKey;
use mcpanel_guard::Permission;

use crate::{Dashboard, error::Result, session::Viewer, ui::text};

/// How a caller that is a key is written.
const KEY: &str = "key:";

/// Longest name, in characters; the rest is in the title.
const NAME_CHARS_MAX: usize = 40;

/// The names of keys, where they are needed and may be seen.
pub struct People(HashMap<String, String>);

impl People {
    /// Those who can be named among these callers.
    pub async fn among<'a>(
        dashboard: &Dashboard,
        viewer: &Viewer,
        callers: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let is_any_key = callers.into_iter().any(|caller| caller.starts_with(KEY));
        if !is_any_key || !viewer.may(Permission::KeyManage) {
            let me = viewer.scope.actor.strip_prefix(KEY);
            let named = me.map(str::to_owned).zip(viewer.name.clone());
            return Ok(Self(named.into_iter().collect()));
        }
        let keys = dashboard.control.catalog.keys(&viewer.scope).await?;
        Ok(Self::of(&keys))
    }

    /// Those whose keys these are.
    pub fn of(keys: &[Arc<ApiKey>]) -> Self {
        let named = keys
            .iter()
            .map(|key| (key.id.to_string(), key.name.clone()));
        Self(named.collect())
    }

    /// A caller: the name of its key with the id behind it, else as it is written.
    pub fn draw(&self, caller: &str) -> Markup {
        let name = caller.strip_prefix(KEY).and_then(|id| self.0.get(id));
        html! {
            span title=(caller) { (text::short(name.map_or(caller, String::as_str), NAME_CHARS_MAX)) }
        }
    }
}
