use std::{
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::PermissionsExt,
};

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn given(admin_key: &str, jwt: &str) -> Given {
    Given {
        admin_key: Some(Secret::new(admin_key)),
        jwt: Some(Secret::new(jwt)),
    }
}

#[test]
fn the_first_start_makes_secrets_that_only_the_owner_reads_and_later_starts_find_them() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep/data");
    let first = Secrets::load(&data, Given::default(), PUBLIC).unwrap();
    assert!(ApiKeySecret::parse(first.admin_key.reveal()).is_ok());
    assert_eq!(first.jwt.weakness(), None);
    for file in [ADMIN_KEY_FILE, JWT_SECRET_FILE] {
        let mode = fs::metadata(data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(
        fs::read_dir(&data).unwrap().count(),
        2,
        "no drafts are left"
    );
    assert_eq!(
        Secrets::load(&data, Given::default(), PUBLIC).unwrap(),
        first
    );
}

#[test]
fn two_data_directories_have_different_secrets() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let load =
        |dir: &tempfile::TempDir| Secrets::load(dir.path(), Given::default(), LOOPBACK).unwrap();
    assert_ne!(load(&a).admin_key, load(&b).admin_key);
    assert_ne!(load(&a).jwt, load(&b).jwt);
}

#[test]
fn what_is_given_wins_over_the_files_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = Secrets::load(dir.path(), given("k", "s"), LOOPBACK).unwrap();
    assert_eq!(
        (secrets.admin_key.reveal(), secrets.jwt.reveal()),
        ("k", "s")
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_public_address_refuses_weak_and_empty_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let strong = "9f86d081884c7d659a2feaa0c55ad015";
    let refused = |given| {
        Secrets::load(dir.path(), given, PUBLIC)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(given("admin", strong)),
        "`MCPANEL_ADMIN_KEY` is too weak for the public address 0.0.0.0: it has 5 bytes; \
         at least 32 are needed; take the output of `openssl rand -hex 32`"
    );
    assert!(refused(given(strong, &"a".repeat(64))).starts_with("`JWT_SECRET` is too weak"));
    assert!(refused(given(strong, "")).starts_with("`JWT_SECRET` is set but empty"));
    assert!(Secrets::load(dir.path(), given(strong, strong), PUBLIC).is_ok());
}

#[test]
fn a_weak_file_is_refused_on_a_public_address_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(ADMIN_KEY_FILE);
    fs::write(&path, "letmein\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Secrets::load(dir.path(), Given::default(), LOOPBACK).is_ok());
    let error = Secrets::load(dir.path(), Given::default(), PUBLIC).unwrap_err();
    assert!(
        matches!(&error, Error::Weak { name, .. } if name.ends_with(ADMIN_KEY_FILE)),
        "{error}"
    );
}

#[test]
fn an_empty_variable_on_loopback_is_as_good_as_none() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = Secrets::load(dir.path(), given("", ""), LOOPBACK).unwrap();
    assert!(dir.path().join(ADMIN_KEY_FILE).exists());
    assert!(!secrets.jwt.reveal().is_empty());
}

#[test]
fn files_that_others_can_read_or_that_hold_nothing_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(ADMIN_KEY_FILE);
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = Secrets::load(dir.path(), Given::default(), LOOPBACK).unwrap_err();
    assert!(
        matches!(error, Error::Exposed { mode: 0o644, .. }),
        "{error}"
    );
    fs::write(&path, " \n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = Secrets::load(dir.path(), Given::default(), LOOPBACK).unwrap_err();
    assert!(matches!(error, Error::Unusable { .. }), "{error}");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Secrets::load(&file.join("data"), Given::default(), LOOPBACK).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}

#[test]
fn loopback_in_any_writing_is_not_public() {
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in ["0.0.0.0", "::", "192.168.1.4", "203.0.113.9"] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
    assert!(is_public(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
}
