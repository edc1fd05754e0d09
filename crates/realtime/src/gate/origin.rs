//! Which pages may connect: none but those of the server's own address, unless the settings name them.

use axum::http::{HeaderMap, HeaderValue, header};
use mcpanel_api::Problem;

use crate::refusal::{Refusal, quoted};

/// What `Access-Control-Allow-Origin` is to say, or a refusal.
pub(super) fn check(
    allowed: &[String],
    headers: &HeaderMap,
) -> Result<Option<HeaderValue>, Box<Problem>> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(None);
    };
    let text = origin.to_str().unwrap_or_default();
    if allowed
        .iter()
        .any(|each| each.trim_end_matches('/').eq_ignore_ascii_case(text))
    {
        return Ok(Some(origin.clone()));
    }
    if is_own(text, headers) {
        return Ok(None);
    }
    Err(Refusal::Forbidden.because(format!(
        "pages of `{}` may not connect; the server's operator can allow their origin",
        quoted(text)
    )))
}

fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let place = origin.split_once("://").map(|(_, place)| place);
    matches!((host, place), (Some(host), Some(place)) if host.eq_ignore_ascii_case(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn programs_and_pages_of_the_own_address_connect() {
        assert_eq!(check(&[], &headers("h:8081", None)).unwrap(), None);
        assert_eq!(
            check(&[], &headers("h:8081", Some("http://h:8081"))).unwrap(),
            None
        );
    }

    #[test]
    fn other_pages_connect_when_they_are_allowed() {
        let foreign = headers("h:8081", Some("https://panel.example.org"));
        assert_eq!(check(&[], &foreign).unwrap_err().code, "forbidden");
        let allowed = ["https://panel.example.org/".to_owned()];
        assert!(check(&allowed, &foreign).unwrap().is_some());
        for origin in [
            "null",
            "http://h:8080",
            "https://panel.example.org.evil",
            "http://panel.example.org",
        ] {
            assert!(
                check(&allowed, &headers("h:8081", Some(origin))).is_err(),
                "{origin}"
            );
        }
    }
}
