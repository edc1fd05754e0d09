//! The base path itself; that whole pages lead there is tested over the real router.

use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::{BasePath, NoBasePath, lead};

fn base() -> BasePath {
    "/teams/a".parse().unwrap()
}

#[test]
fn a_base_path_is_plain_and_a_slash_at_its_end_does_not_count() {
    for (text, path) in [
        ("/panel", "/panel"),
        (" /teams/a/ ", "/teams/a"),
        ("/v1.2_~-", "/v1.2_~-"),
    ] {
        assert_eq!(text.parse::<BasePath>().unwrap().to_string(), path);
    }
    for text in ["", "panel", "https://a/panel"] {
        assert_eq!(
            text.parse::<BasePath>(),
            Err(NoBasePath::Beginning),
            "{text}"
        );
    }
    for text in [
        "/", "//", "/a//b", "/..", "/a/./b", "/a b", "/a\"b", "/ä", "/a?b", "/a%20b",
    ] {
        let refused = text.parse::<BasePath>();
        assert!(
            matches!(refused, Err(NoBasePath::Part(_) | NoBasePath::Beginning)),
            "{text}: {refused:?}"
        );
    }
    assert_eq!("/x".repeat(65).parse::<BasePath>(), Err(NoBasePath::Long));
}

#[test]
fn requests_lose_it_and_those_beside_it_do_not() {
    let inner = |asked: &str| {
        let uri: Uri = asked.parse().unwrap();
        base().without(&uri).map(|uri| uri.to_string())
    };
    assert_eq!(inner("/teams/a").as_deref(), Some("/"));
    assert_eq!(inner("/teams/a?x=1").as_deref(), Some("/?x=1"));
    assert_eq!(inner("/teams/a/").as_deref(), Some("/"));
    assert_eq!(
        inner("/teams/a/tasks/t%2F1?q=/a").as_deref(),
        Some("/tasks/t%2F1?q=/a")
    );
    for beside in ["/", "/tasks", "/teams", "/teams/ab", "/teams/b/tasks"] {
        assert_eq!(inner(beside), None, "{beside}");
    }
}

#[test]
fn headers_lead_below_it_unless_they_lead_elsewhere() {
    for (place, expected) in [
        ("/sign-in?next=%2Ftasks", "/teams/a/sign-in?next=%2Ftasks"),
        ("//elsewhere.example/x", "//elsewhere.example/x"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static(place));
        headers.insert("hx-redirect", HeaderValue::from_static(place));
        lead(&base(), &mut headers);
        assert_eq!(
            (&headers["location"], &headers["hx-redirect"]),
            (
                &HeaderValue::from_static(expected),
                &HeaderValue::from_static(expected)
            )
        );
    }
}

#[test]
fn cookies_stay_below_it() {
    let mut headers = HeaderMap::new();
    for cookie in [
        "__Host-mcpanel_session=a; Path=/; HttpOnly; Secure",
        "mcpanel_flash=ok; Path=/; HttpOnly",
    ] {
        headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
    }
    lead(&base(), &mut headers);
    let cookies: Vec<&HeaderValue> = headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(
        cookies,
        [
            "__Secure-mcpanel_session=a; Path=/teams/a; HttpOnly; Secure",
            "mcpanel_flash=ok; Path=/teams/a; HttpOnly",
        ]
    );
}
