use std::net::Ipv4Addr;

use super::{super::finding::Verdict, *};

const STRONG: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn a_clock_that_never_ran_is_told() {
    assert_eq!(clock(Timestamp::ZERO).verdict, Verdict::Problem);
    assert_eq!(clock(Timestamp::from_ms(CLOCK_MIN_MS)).verdict, Verdict::Ok);
}

#[test]
fn secrets_are_judged_by_who_could_reach_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwt.secret");
    let judge = |given: Option<&str>, is_public| {
        secret(
            "JWT secret",
            "JWT_SECRET",
            given.map(Secret::new),
            &path,
            is_public,
        )
    };
    assert_eq!(judge(None, true).verdict, Verdict::Ok, "it is made");
    assert_eq!(judge(Some(STRONG), true).verdict, Verdict::Ok);
    assert_eq!(judge(Some(""), true).verdict, Verdict::Problem);
    assert_eq!(judge(Some("hunter2"), true).verdict, Verdict::Problem);
    let local = judge(Some("hunter2"), false);
    assert_eq!(local.verdict, Verdict::Warning);
    assert!(!local.what.contains("hunter2"), "it is never shown");
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("admin.key");
    fs::write(&path, STRONG).unwrap();
    let judge = || secret("admin key", "MCPANEL_ADMIN_KEY", None, &path, false);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let found = judge();
    assert_eq!(found.verdict, Verdict::Problem);
    assert!(found.what.contains("mode 640"), "{}", found.what);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(judge().verdict, Verdict::Ok);
}

#[tokio::test]
async fn another_program_on_the_address_is_told() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = taken.local_addr().unwrap();
    // It closes what connects, which no server of ours does.
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let found = address("HTTP address", at).await;
    assert_eq!(found.verdict, Verdict::Problem);
    assert!(found.what.contains("another program"), "{}", found.what);
    let free = address("HTTP address", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await;
    assert_eq!(free.verdict, Verdict::Ok);
}
