use super::{super::finding::Verdict, *};

const ALONE: Given = Given {
    mongodb: false,
    redis: false,
};
const SHARED: Given = Given {
    mongodb: true,
    redis: true,
};
const REDIS: Given = Given {
    mongodb: false,
    redis: true,
};

#[test]
fn a_part_is_for_instances_that_share() {
    let verdict = |given, stores| role(given, stores).verdict;
    assert_eq!(verdict(None, ALONE), Verdict::Ok);
    assert_eq!(verdict(Some("all"), SHARED), Verdict::Ok);
    assert_eq!(verdict(Some("api"), SHARED), Verdict::Ok);
    assert_eq!(verdict(Some("realtime"), REDIS), Verdict::Ok);
    assert_eq!(verdict(Some("realtime"), ALONE), Verdict::Problem);
    assert_eq!(verdict(Some("api"), REDIS), Verdict::Problem);
    assert_eq!(verdict(Some("API server"), SHARED), Verdict::Problem);
}

#[test]
fn limits_are_wanted_where_others_call() {
    let verdict = |given, are_shared, is_public| rate_limits(given, are_shared, is_public).verdict;
    assert_eq!(verdict(None, false, false), Verdict::Ok);
    assert_eq!(verdict(None, true, true), Verdict::Ok);
    assert_eq!(verdict(None, false, true), Verdict::Warning);
    assert_eq!(verdict(Some("off"), true, false), Verdict::Warning);
    assert_eq!(verdict(Some("reads=1:2"), false, true), Verdict::Ok);
    let wrong = rate_limits(Some("reeds=1:2"), false, false);
    assert_eq!(wrong.verdict, Verdict::Problem);
    assert!(wrong.what.contains("`reeds`"), "{}", wrong.what);
}

#[test]
fn origins_are_those_that_browsers_name() {
    let verdict = |origin: &str| origins(&[origin.to_owned()])[0].verdict;
    assert_eq!(origins(&[])[0].verdict, Verdict::Ok);
    for right in [
        "https://panel.example.org",
        "https://a:8443/",
        "http://127.0.0.1:3000",
        "",
    ] {
        assert_eq!(verdict(right), Verdict::Ok, "{right}");
    }
    assert_eq!(verdict("http://panel.example.org"), Verdict::Warning);
    for wrong in [
        "*",
        "https://*.example.org",
        "panel.example.org",
        "https://panel.example.org/app",
        "https://panel.example.org:443",
        "https://",
        "ftp://a",
    ] {
        assert_eq!(verdict(wrong), Verdict::Problem, "{wrong}");
    }
    let two = origins(&["*".to_owned(), "a".to_owned()]);
    assert_eq!(two.len(), 2, "each is told");
}

#[tokio::test]
async fn a_bias_service_has_to_answer() {
    let closed = bias_service("http://127.0.0.1:1").await;
    assert_eq!(closed.verdict, Verdict::Problem);
    assert!(closed.what.contains("nothing answers"), "{}", closed.what);
    for wrong in ["127.0.0.1:8000", "ftp://a", "http://u:hidden@a"] {
        let finding = bias_service(wrong).await;
        assert_eq!(finding.verdict, Verdict::Problem, "{wrong}");
        assert!(!finding.what.contains("hidden"), "{}", finding.what);
    }
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = service.local_addr().unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in service.incoming().flatten() {
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let open = bias_service(&format!("http://{at}")).await;
    assert_eq!(open.verdict, Verdict::Ok, "{open:?}");
}

#[test]
fn seconds_to_stop_within_are_those_that_a_server_takes() {
    for right in ["1", " 30 ", "3600"] {
        assert_eq!(drain(right).verdict, Verdict::Ok, "{right}");
    }
    for wrong in ["0", "3601", "-1", "10s", "1.5"] {
        let finding = drain(wrong);
        assert_eq!(finding.verdict, Verdict::Problem, "{wrong}");
        assert!(finding.what.contains(&format!("`{wrong}`")));
    }
}

#[test]
fn an_environment_has_a_name() {
    for right in ["production", "ward 7:red"] {
        assert_eq!(environment(right).verdict, Verdict::Ok, "{right}");
    }
    assert_eq!(environment(":red").verdict, Verdict::Warning);
}
