use std::time::Duration;

use axum::http::{Method, StatusCode};

use super::{
    requests::Requests,
    text::{Kind, Text},
};

#[test]
fn labels_are_escaped_and_figures_have_their_kind() {
    let mut text = Text::default();
    text.one("up", Kind::Gauge, "Whether.", 1);
    let mut family = text.family("calls_total", Kind::Counter, "Calls.");
    family.add(&[("who", "a \"b\"\\\n"), ("how", "well")], 0.5);
    assert_eq!(
        text.into_string(),
        "# HELP mcpanel_up Whether.\n# TYPE mcpanel_up gauge\nmcpanel_up 1\n\
         # HELP mcpanel_calls_total Calls.\n# TYPE mcpanel_calls_total counter\n\
         mcpanel_calls_total{who=\"a \\\"b\\\"\\\\\\n\",how=\"well\"} 0.5\n"
    );
}

#[test]
fn requests_are_counted_by_route_outcome_and_time() {
    let requests = Requests::default();
    let count = |route, status, ms| {
        requests.count(route, &Method::GET, status, Duration::from_millis(ms));
    };
    count("/a", StatusCode::OK, 1);
    count("/a", StatusCode::OK, 40);
    count("/a", StatusCode::NOT_FOUND, 90_000);
    count("/b", StatusCode::INTERNAL_SERVER_ERROR, 3);
    let mut text = Text::default();
    requests.write(&mut text);
    let text = text.into_string();
    for line in [
        "mcpanel_request_count_total{method=\"GET\",route=\"/a\",status=\"2xx\"} 2",
        "mcpanel_request_count_total{method=\"GET\",route=\"/a\",status=\"4xx\"} 1",
        "mcpanel_error_count_total 1",
        "mcpanel_response_time_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.001\"} 1",
        "mcpanel_response_time_seconds_bucket{method=\"GET\",route=\"/a\",le=\"0.05\"} 2",
        "mcpanel_response_time_seconds_bucket{method=\"GET\",route=\"/a\",le=\"30\"} 2",
        "mcpanel_response_time_seconds_bucket{method=\"GET\",route=\"/a\",le=\"+Inf\"} 3",
        "mcpanel_response_time_seconds_count{method=\"GET\",route=\"/a\"} 3",
    ] {
        assert!(
            text.lines().any(|each| each == line),
            "{line} is not in\n{text}"
        );
    }
}
