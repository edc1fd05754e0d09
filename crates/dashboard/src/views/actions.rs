//! Saving a view, and removing one.

use axum::{
    extract::Path,
    http::{HeaderMap, header},
    response::Response,
};

use super::{List, Room, Views, cookie_name, room};
use crate::{
    error::Result,
    form::{Form, back_with},
    session::{Flash, Viewer, is_secure, set_cookie},
    ui::{list::Query, text},
};

/// How long views are kept, in seconds: a year after the last change.
const KEPT_S: u64 = 365 * 24 * 3_600;

/// Saves the filter that a list has now.
pub async fn save(
    viewer: Viewer,
    Path(list): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    change(&viewer, &list, &headers, &form, |views, name| {
        let views = views.with(name, &Query::read(form.text("query")))?;
        Ok((views, "is saved in this browser"))
    })
}

/// Forgets a view.
pub async fn remove(
    viewer: Viewer,
    Path(list): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response> {
    change(&viewer, &list, &headers, &form, |views, name| {
        Ok((views.without(name), "is removed"))
    })
}

/// Changes the views of a list and gives the browser the new ones, or says why not.
fn change(
    viewer: &Viewer,
    list: &str,
    headers: &HeaderMap,
    form: &Form,
    changed: impl FnOnce(&Views, &str) -> std::result::Result<(Views, &'static str), String>,
) -> Result<Response> {
    let list = List::parse(list)?;
    let back = form.back(list.path());
    let name = form.text("name").unwrap_or_default();
    let (views, done) = match changed(&Views::of(list, viewer, headers), name) {
        Ok(changed) => changed,
        Err(why) => return Ok(back_with(back, &Flash::refused(why))),
    };
    let cookie = cookie_name(list, viewer);
    let (text, secure) = (views.write(), is_secure(headers));
    let others = match room(viewer, headers, &cookie, &text) {
        Room::Without(others) => others,
        Room::None => {
            let why = "The saved views of all lists are too long together; remove one first.";
            return Ok(back_with(back, &Flash::refused(why)));
        }
    };
    let sentence = format!("The view “{}” {done}.", text::short(name, 40));
    let mut response = back_with(back, &Flash::done(sentence));
    let age = if views.kept.is_empty() { 0 } else { KEPT_S };
    let kept = set_cookie(&cookie, &text, Some(age), secure, true);
    response.headers_mut().append(header::SET_COOKIE, kept);
    for other in others {
        let gone = set_cookie(&other, "", Some(0), secure, true);
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}
