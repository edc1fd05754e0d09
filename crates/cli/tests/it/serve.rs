//! Starting and stopping a server.

use std::{fs, path::Path};

use crate::support::{Server, Watched, mcpanel, run_in, said};

fn serve(data: &Path) -> std::process::Command {
    let mut command = mcpanel([
        "serve",
        "--http",
        "127.0.0.1:0",
        "--realtime",
        "127.0.0.1:0",
    ]);
    command.arg("--data").arg(data);
    command
}

#[test]
fn the_first_start_makes_a_key_that_only_its_owner_reads_and_the_next_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Server::start(&data);
    let key = fs::read_to_string(data.join("admin.key")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(data.join("admin.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let told = first.process.heard.join("\n");
    assert!(!told.contains(key.trim()), "the key itself is never said");
    drop(first);
    let _second = Server::start(&data);
    assert_eq!(fs::read_to_string(data.join("admin.key")).unwrap(), key);
}

#[test]
fn programs_read_each_line_of_the_log_as_an_entry() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Watched::start(serve(folder.path()).args(["--log-format", "json"]));
    process.wait_for("serving http://").unwrap();
    #[cfg(unix)]
    {
        process.interrupt();
        assert_eq!(process.end(), Some(0));
        assert!(process.heard.iter().any(|line| line.contains("stopped")));
    }
    for line in &process.heard {
        let entry: serde_json::Value = serde_json::from_str(line).expect(line);
        for name in ["timestamp", "level", "component", "message"] {
            assert!(entry[name].is_string(), "{name}: {line}");
        }
        assert!(entry["context"].is_object(), "{line}");
    }

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut refused = mcpanel(["serve", "--log-format", "json", "--http", &address]);
    let refused = refused.arg("--data").arg(folder.path()).output().unwrap();
    assert!(!refused.status.success());
    let last = said(&refused);
    let last = last.lines().last().unwrap();
    let entry: serde_json::Value = serde_json::from_str(last).expect(last);
    assert_eq!(entry["level"], "error", "{last}");
    assert!(
        entry["message"].as_str().unwrap().contains(&address),
        "{last}"
    );
}

#[test]
fn variables_that_are_set_and_empty_count_as_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let addresses = ["--http", "127.0.0.1:0", "--realtime", "127.0.0.1:0"];
    let mut serve = mcpanel([&["serve", "--data", "data"][..], &addresses].concat());
    serve.current_dir(folder.path());
    for name in [
        "MONGODB_URI",
        "REDIS_URL",
        "MCPANEL_ARTIFACTS",
        "MCPANEL_DRAIN_SECONDS",
        "MCPANEL_RATE_LIMITS",
        "MCPANEL_REALTIME_ORIGINS",
        "MCPANEL_ROLE",
    ] {
        serve.env(name, " ");
    }
    let mut serve = Watched::start(&mut serve);
    let line = serve.wait_for("serving http://").unwrap();
    let url = line
        .split([' ', ','])
        .find(|word| word.starts_with("http://"));
    let mut list = mcpanel(["tasks", "list", "--url", url.unwrap()]);
    list.env("MCPANEL_DATA", folder.path().join("data"));
    let listed = list.output().unwrap();
    assert!(listed.status.success(), "{}", said(&listed));
}

#[test]
fn a_second_server_over_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Server::start(folder.path());
    let second = serve(folder.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        said(&second).contains("in use by another process"),
        "{}",
        said(&second)
    );
}

#[test]
fn an_address_that_is_taken_is_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Server::start(one.path());
    let address = first.url.trim_start_matches("http://");
    let mut command = mcpanel(["serve", "--http", address, "--realtime", "127.0.0.1:0"]);
    let second = command.arg("--data").arg(other.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(
        said(&second),
        format!(
            "error: cannot listen on `{address}`: another program listens there; stop it, or give another address\n"
        )
    );
}

#[test]
fn a_public_address_refuses_a_weak_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = mcpanel(["serve", "--http", "0.0.0.0:0", "--realtime", "127.0.0.1:0"]);
    command.arg("--data").arg(folder.path());
    for key in ["", "password"] {
        let output = command.env("MCPANEL_ADMIN_KEY", key).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "`{key}`");
        assert!(
            said(&output).contains("MCPANEL_ADMIN_KEY"),
            "{}",
            said(&output)
        );
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Watched::start(&mut serve(folder.path()));
    server.wait_for("serving http://").unwrap();
    server.interrupt();
    assert_eq!(server.end(), Some(0), "{:?}", server.heard);
    assert_eq!(server.heard.last().map(String::as_str), Some("stopped"));
}

#[test]
fn a_healthcheck_is_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let ask = |extra: &[&str]| {
        let mut command = mcpanel(["healthcheck", "--url", &server.url]);
        command.args(extra).output().unwrap()
    };
    assert_eq!(ask(&[]).status.code(), Some(0));
    let live = ask(&["--live"]);
    assert_eq!(live.status.code(), Some(0));
    assert_eq!(live.stdout, b"healthy\n");
    server.process.kill();
    let gone = mcpanel(["healthcheck", "--url", &server.url])
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(9), "{}", said(&gone));
}

#[test]
fn the_description_of_the_api_is_the_servers() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run_in(folder.path(), ["openapi"]);
    let printed: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["openapi"], "3.1.0");
    assert!(printed["paths"]["/api/v1/tasks"]["post"].is_object());
}

#[test]
fn what_is_stored_is_brought_up_to_date_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = || {
        let mut command = mcpanel(["migrate", "--data"]);
        command.arg(folder.path()).output().unwrap()
    };
    assert_eq!(migrate().status.code(), Some(3), "nothing is made");
    let mut typed = mcpanel(["migrate", "--data"]);
    typed
        .arg(folder.path())
        .env("MONGODB_URI", "mongodb://127.0.0.1:9");
    let typed = typed.output().unwrap();
    assert_eq!(typed.status.code(), Some(3), "what was typed comes first");
    let mut both = mcpanel([
        "migrate",
        "--mongodb-uri",
        "mongodb://127.0.0.1:9",
        "--data",
    ]);
    let both = both.arg(folder.path()).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
    let server = Server::start(folder.path());
    let in_use = migrate();
    assert_eq!(in_use.status.code(), Some(1));
    assert!(
        said(&in_use).contains("in use by another process"),
        "{}",
        said(&in_use)
    );
    drop(server);
    let done = migrate();
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(said(&done).contains("up to date"));
}

#[cfg(unix)]
#[test]
fn a_server_to_try_has_its_agents_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = mcpanel(["dev", "--http", "127.0.0.1:0", "--realtime", "127.0.0.1:0"]);
    let mut dev = Watched::start(command.env("TMPDIR", folder.path()));
    let url = dev.wait_for("export MCPANEL_URL=").expect("it serves");
    let data = dev
        .wait_for("export MCPANEL_DATA=")
        .expect("it says where its key is");
    let after = |line: &str| line.split_once('=').unwrap().1.to_owned();
    let (url, data) = (after(&url), after(&data));
    let offered = || {
        let mut discover = mcpanel(["agents", "discover", "-o", "name", "--url", &url]);
        let output = discover.env("MCPANEL_DATA", &data).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    let until = std::time::Instant::now() + crate::support::PATIENCE;
    while offered() < 6 {
        assert!(std::time::Instant::now() < until, "six agents sign on");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut doctor = mcpanel([
        "doctor",
        "--http",
        url.trim_start_matches("http://"),
        "--realtime",
        "127.0.0.1:0",
    ]);
    let found = doctor
        .args(["--url", &url])
        .env("MCPANEL_DATA", &data)
        .output()
        .unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(found.contains("an mcpanel server answers at"), "{found}");
    dev.interrupt();
    assert_eq!(dev.end(), Some(0), "{:?}", dev.heard);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
