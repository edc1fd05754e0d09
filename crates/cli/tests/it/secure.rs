//! Encrypted servers, and credentials that do not travel in the open.

use std::{net::SocketAddr, process::Command};

use mcpanel_test_tls::{Authority, Front};

use crate::{
    shell::{Ran, Shell},
    support::{Watched, sample},
};

/// A server behind a proxy that ends TLS, and the file of the authority that signed its certificate.
struct Secure {
    shell: Shell,
    authority: Authority,
    _front: Front,
    url: String,
}

impl Secure {
    fn open() -> Self {
        let shell = Shell::open();
        let authority = Authority::new("a test's").unwrap();
        let behind: SocketAddr = shell
            .server
            .url
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .unwrap();
        let certificate = authority.certificate("localhost").unwrap();
        let front = Front::start(certificate, behind).unwrap();
        shell.file("ca.pem", &authority.pem());
        Self {
            url: format!("https://localhost:{}", front.address().port()),
            _front: front,
            authority,
            shell,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.shell.command(arguments);
        command
            .env("MCPANEL_URL", &self.url)
            .env("XDG_CONFIG_HOME", self.shell.folder.path().join("config"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }
}

#[test]
fn an_encrypted_server_is_spoken_to_when_its_authority_is_trusted() {
    let secure = Secure::open();
    let listed = secure.run(&["tasks", "list", "--ca-file", "ca.pem", "-o", "json"]);
    assert_eq!(listed.ok().trim(), "[]");
    let mut by_variable = secure.command(&["tasks", "list"]);
    by_variable.env("MCPANEL_CA_FILE", "ca.pem");
    Ran::of(by_variable.output().unwrap()).ok();
    // As an authority of the system, which mcpanel asks like everybody else.
    let mut by_system = secure.command(&["tasks", "list"]);
    by_system.env("SSL_CERT_FILE", secure.shell.folder.path().join("ca.pem"));
    Ran::of(by_system.output().unwrap()).ok();
}

#[test]
fn an_authority_that_is_not_trusted_is_told_with_what_to_try() {
    let secure = Secure::open();
    let another = Authority::new("another").unwrap();
    secure.shell.file("another.pem", &another.pem());
    let told = secure
        .run(&["tasks", "list", "--ca-file", "another.pem"])
        .refused(9);
    assert!(
        told.contains("no authority that is trusted here signed its certificate")
            && told.contains("--ca-file FILE"),
        "{told}"
    );
    let by_address = secure.url.replace("localhost", "127.0.0.1");
    let told = secure
        .run(&["tasks", "list", "--ca-file", "ca.pem", "--url", &by_address])
        .refused(9);
    assert!(
        told.contains("its certificate is for `localhost`"),
        "{told}"
    );
    let plain = secure.shell.server.url.replace("http://", "https://");
    let told = secure
        .run(&["tasks", "list", "--ca-file", "ca.pem", "--url", &plain])
        .refused(9);
    assert!(
        told.contains("does not speak TLS") && told.contains("http://"),
        "{told}"
    );
    let open = secure.url.replace("https://", "http://");
    let told = secure.run(&["tasks", "list", "--url", &open]).refused(9);
    assert!(told.contains("begins with `https://`"), "{told}");
    let expired = Front::start(
        secure.authority.expired_certificate("localhost").unwrap(),
        "127.0.0.1:9".parse().unwrap(),
    )
    .unwrap();
    let url = format!("https://localhost:{}", expired.address().port());
    let told = secure
        .run(&["tasks", "list", "--ca-file", "ca.pem", "--url", &url])
        .refused(9);
    assert!(told.contains("has expired"), "{told}");
}

#[test]
fn agents_and_their_files_travel_encrypted() {
    let secure = Secure::open();
    let mut agents = secure.command(&["agents", "run", "--ca-file", "ca.pem"]);
    let _agents = Watched::start(&mut agents);
    let data = sample();
    let run = ["pipelines", "run", "--template", "techdeck", "--watch"];
    let with = [
        "--ca-file",
        "ca.pem",
        "--upload",
        data.to_str().unwrap(),
        "--timeout",
        "4m",
    ];
    let id = secure.run(&[&run[..], &with].concat()).ok();
    let get = ["pipelines", "get", id.trim(), "-o", "json"];
    assert_eq!(secure.shell.run(&get).json()["status"], "completed");
}

#[test]
fn a_file_that_holds_no_authority_is_a_wrong_command_line() {
    let shell = Shell::open();
    shell.file("empty.pem", "");
    let told = shell
        .run(&["tasks", "list", "--ca-file", "empty.pem"])
        .refused(2);
    assert!(told.contains("there is no certificate in it"), "{told}");
    let told = shell
        .run(&["tasks", "list", "--ca-file", "missing.pem"])
        .refused(2);
    assert!(told.contains("missing.pem"), "{told}");
}

#[test]
fn a_context_keeps_the_authority_of_its_server() {
    let secure = Secure::open();
    let create = ["keys", "create", "x", "-p", "task:read"];
    secure
        .shell
        .run(&[&create[..], &["--secret-file", "a.key"]].concat())
        .ok();
    let url = secure.url.as_str();
    let login = [
        "auth",
        "login",
        "--context",
        "far",
        "--url",
        url,
        "--ca-file",
        "ca.pem",
        "--token-file",
        "a.key",
        "-o",
        "json",
    ];
    let mut logged_in = secure.command(&login);
    logged_in.env_remove("MCPANEL_URL");
    Ran::of(logged_in.output().unwrap()).ok();
    let contexts = secure.run(&["context", "list", "-o", "json"]).json();
    let file = contexts[0]["ca_file"].as_str().unwrap();
    assert!(file.starts_with('/') && file.ends_with("ca.pem"), "{file}");
    // From another folder, with nothing typed.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut list = secure.command(&["tasks", "list"]);
    list.current_dir(elsewhere.path()).env_remove("MCPANEL_URL");
    Ran::of(list.output().unwrap()).ok();
    // What belongs to the context's server is not used for another one.
    let other = secure.run(&["tasks", "list", "--url", "https://localhost:1"]);
    assert_eq!(other.code, Some(9));
}

#[test]
fn no_credential_travels_in_the_open_unless_that_is_asked_for() {
    let shell = Shell::open();
    // Addresses for documentation, where nobody answers.
    let far = "http://192.0.2.1:8080";
    shell.file("a.key", "mcp_secret");
    let refused = shell
        .run(&["tasks", "list", "--url", far, "--token-file", "a.key"])
        .refused(2);
    assert!(
        refused.contains("not encrypted") && refused.contains("--allow-http"),
        "{refused}"
    );
    let add = [
        "context",
        "add",
        "far",
        "--url",
        far,
        "--token-file",
        "a.key",
    ];
    let mut keep = shell.command(&add);
    keep.env("XDG_CONFIG_HOME", shell.folder.path().join("config"));
    assert_eq!(keep.output().unwrap().status.code(), Some(2));
    keep.arg("--allow-http");
    assert_eq!(keep.output().unwrap().status.code(), Some(0));
    let mut list = shell.command(&["context", "list", "-o", "json"]);
    list.env("XDG_CONFIG_HOME", shell.folder.path().join("config"));
    assert_eq!(
        Ran::of(list.output().unwrap()).json()[0]["allow_http"],
        true
    );
    let mut odd = shell.command(&["tasks", "list"]);
    odd.env("MCPANEL_ALLOW_HTTP", "maybe");
    let told = Ran::of(odd.output().unwrap()).refused(2);
    assert!(told.contains("MCPANEL_ALLOW_HTTP"), "{told}");
}

#[test]
fn a_proxy_of_the_environment_gets_no_words_that_are_not_encrypted_or_stay_here() {
    let secure = Secure::open();
    for (url, file) in [
        (secure.shell.server.url.as_str(), None),
        (secure.url.as_str(), Some("ca.pem")),
    ] {
        let mut list = secure.shell.command(&["tasks", "list"]);
        list.env("MCPANEL_URL", url);
        for proxy in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"] {
            // Where nobody listens.
            list.env(proxy, "http://127.0.0.1:9");
        }
        for without in ["no_proxy", "NO_PROXY"] {
            list.env_remove(without);
        }
        if let Some(file) = file {
            list.env("MCPANEL_CA_FILE", file);
        }
        Ran::of(list.output().unwrap()).ok();
    }
}

#[test]
fn a_context_keeps_what_the_environment_says_of_its_server() {
    let secure = Secure::open();
    let create = ["keys", "create", "x", "-p", "task:read"];
    secure
        .shell
        .run(&[&create[..], &["--secret-file", "a.key"]].concat())
        .ok();
    let kept = |name: &str| {
        let all = secure.run(&["context", "list", "-o", "json"]).json();
        let mut all = all.as_array().unwrap().iter();
        all.find(|it| it["name"] == name).unwrap().clone()
    };
    // The address comes from the variable too.
    let mut login = secure.command(&[
        "auth",
        "login",
        "--token-file",
        "a.key",
        "--namespace",
        "default",
    ]);
    login.env("MCPANEL_CA_FILE", "ca.pem");
    Ran::of(login.output().unwrap()).ok();
    let far = kept("default");
    assert_eq!(far["url"], secure.url);
    assert!(far["ca_file"].as_str().unwrap().ends_with("/ca.pem"));
    let far = "http://192.0.2.1:8080";
    let mut add = secure.command(&[
        "context",
        "add",
        "far",
        "--url",
        far,
        "--token-file",
        "a.key",
    ]);
    add.env("MCPANEL_ALLOW_HTTP", "1")
        .env("MCPANEL_NAMESPACE", "team-a");
    Ran::of(add.output().unwrap()).ok();
    let far = kept("far");
    assert_eq!(far["allow_http"], true);
    assert_eq!(far["namespace"], "team-a");
    // A context that was typed comes before the variable, and so does its server.
    let mut login = secure.command(&["auth", "login", "--context", "default"]);
    login
        .args(["--token-file", "a.key"])
        .env("MCPANEL_URL", "http://127.0.0.1:9");
    Ran::of(login.output().unwrap()).ok();
    assert_eq!(kept("default")["url"], secure.url);
}

#[test]
fn a_load_generator_shows_its_key_in_the_open_only_when_told_to() {
    let shell = Shell::open();
    let bench = |url: &str| {
        let mut command = shell.command(&["bench", "latency", "--server", url]);
        command.env("MCPANEL_API_KEY", "mcp_secret");
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    let told = bench("http://192.0.2.1:8080");
    assert!(
        told.contains("not encrypted") && told.contains("--allow-http"),
        "{told}"
    );
    let told = bench("https://192.0.2.1:8080");
    assert!(told.contains("plain HTTP only"), "{told}");
}
