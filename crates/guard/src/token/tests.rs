use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;
use crate::permission::Permission;

const NOW: i64 = 1_767_323_045_678;

fn tokens() -> Tokens {
    Tokens::new(&Secret::new("9f86d081884c7d659a2feaa0c55ad015"))
}

fn agent() -> Principal {
    Principal {
        role: Role::Agent {
            agent_id: AgentId::parse("bias:1").unwrap(),
            session: SessionId::parse("sess_1").unwrap(),
        },
        namespace: Namespace::parse("clinic-a").unwrap(),
        permissions: Permissions::of_agent(),
    }
}

/// A token with this header and these claims, signed like ours.
fn signed(header: serde_json::Value, claims: serde_json::Value) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"9f86d081884c7d659a2feaa0c55ad015")
        .unwrap()
        .chain_update(message.as_bytes())
        .finalize()
        .into_bytes();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
}

fn claims() -> serde_json::Value {
    let now = NOW / 1_000;
    json!({"iss": "mcpanel", "sub": "admin", "ns": "default", "perms": ["task:read"], "iat": now, "exp": now + 60, "jti": "1"})
}

fn with(mut claims: serde_json::Value, name: &str, value: serde_json::Value) -> serde_json::Value {
    claims[name] = value;
    claims
}

#[test]
fn every_kind_of_principal_survives_the_round() {
    let now = Timestamp::from_ms(NOW);
    let key = Principal {
        role: Role::Key(KeyId::parse("key_1").unwrap()),
        namespace: Namespace::default_namespace(),
        permissions: Permissions::NONE.with(Permission::TaskRead),
    };
    for principal in [Principal::admin(), key, agent()] {
        let (token, expires_at) = tokens().issue(&principal, 60_000, now, 1);
        assert!(token.len() < 1_024);
        assert_eq!(expires_at, Timestamp::from_ms(NOW / 1_000 * 1_000 + 60_000));
        assert_eq!(tokens().read(&token, now), Ok(principal));
    }
}

#[test]
fn a_token_ends_when_it_says() {
    let now = Timestamp::from_ms(NOW);
    let (token, expires_at) = tokens().issue(&agent(), 60_000, now, 1);
    assert!(
        tokens().read(&token, expires_at).is_ok(),
        "clocks may differ a little"
    );
    let late = expires_at.plus_ms(1_000 * LEEWAY_S.unsigned_abs());
    assert_eq!(
        tokens().read(&token, late),
        Err(InvalidToken::Expired { at: expires_at })
    );
}

#[test]
fn a_token_from_the_future_is_refused() {
    let (token, _) = tokens().issue(&agent(), 60_000, Timestamp::from_ms(NOW + 60_000), 1);
    assert_eq!(
        tokens().read(&token, Timestamp::from_ms(NOW)),
        Err(InvalidToken::FromTheFuture)
    );
}

#[test]
fn our_own_forgery_works_so_that_the_refusals_below_mean_something() {
    let token = signed(json!({"typ": "JWT", "alg": "HS256"}), claims());
    assert!(tokens().read(&token, Timestamp::from_ms(NOW)).is_ok());
}

#[test]
fn other_algorithms_are_refused_whatever_the_signature() {
    for alg in [
        "none", "None", "nOnE", "HS384", "HS512", "RS256", "ES256", "EdDSA", "",
    ] {
        let token = signed(json!({"typ": "JWT", "alg": alg}), claims());
        assert_eq!(
            tokens().read(&token, Timestamp::from_ms(NOW)),
            Err(InvalidToken::NotOurs),
            "{alg}"
        );
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        assert_eq!(
            tokens().read(&format!("{unsigned}."), Timestamp::from_ms(NOW)),
            Err(InvalidToken::NotOurs),
            "{alg}"
        );
    }
}

#[test]
fn claims_that_are_not_ours_are_refused() {
    let header = json!({"typ": "JWT", "alg": "HS256"});
    for (name, value) in [
        ("iss", json!("somebody")),
        ("iss", json!(null)),
        ("aud", json!("another service")),
        ("sub", json!("root")),
        ("sub", json!("agent:x")),
        ("sub", json!("key:../x")),
        ("ns", json!("../x")),
        ("exp", json!("soon")),
        ("exp", json!(null)),
        ("sid", json!("sess_1")),
    ] {
        let token = signed(header.clone(), with(claims(), name, value.clone()));
        assert_eq!(
            tokens().read(&token, Timestamp::from_ms(NOW)),
            Err(InvalidToken::NotOurs),
            "{name} = {value}"
        );
    }
}

#[test]
fn tampering_another_secret_and_rubbish_are_refused() {
    let now = Timestamp::from_ms(NOW);
    let (token, _) = tokens().issue(&agent(), 60_000, now, 1);
    let other = Tokens::new(&Secret::new("another secret that is long enough to be one"));
    assert_eq!(other.read(&token, now), Err(InvalidToken::NotOurs));
    let mut parts: Vec<&str> = token.split('.').collect();
    let forged = BASE64_URL_SAFE_NO_PAD.encode(claims().to_string());
    parts[1] = &forged;
    assert_eq!(
        tokens().read(&parts.join("."), now),
        Err(InvalidToken::NotOurs)
    );
    for rubbish in [
        "",
        ".",
        "..",
        "a.b.c",
        &"x".repeat(TOKEN_BYTES_MAX + 1),
        "ä.ö.ü",
    ] {
        assert_eq!(tokens().read(rubbish, now), Err(InvalidToken::NotOurs));
    }
}

#[test]
fn permissions_that_nobody_knows_grant_nothing() {
    let token = signed(
        json!({"typ": "JWT", "alg": "HS256"}),
        with(claims(), "perms", json!(["task:read", "world:rule"])),
    );
    let principal = tokens().read(&token, Timestamp::from_ms(NOW)).unwrap();
    assert_eq!(principal.permissions.words(), ["task:read"]);
}
