use super::*;
use crate::run_folder;

fn start(command: &[&str]) -> Process {
    let folder = run_folder("process-test").unwrap();
    Process::start(Launch {
        name: "test".to_owned(),
        command: command.iter().map(Into::into).collect(),
        environment: vec![("WORD".to_owned(), "seven".to_owned())],
        log: folder.join("log"),
        folder: Some(folder),
    })
    .unwrap()
}

fn state(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let state = status.lines().find(|line| line.starts_with("State:"))?;
    state["State:".len()..].trim().chars().next()
}

#[test]
fn a_dropped_process_is_gone_with_its_folder() {
    let process = start(&["sleep", "600"]);
    let (pid, folder) = (process.pid().unwrap(), process.launch.folder.clone());
    assert!(process.is_alive());
    drop(process);
    assert_eq!(state(pid), None);
    assert!(!folder.unwrap().exists());
}

#[test]
fn a_killed_process_keeps_its_folder_and_starts_again() {
    let mut process = start(&["sleep", "600"]);
    let first = process.pid().unwrap();
    process.kill().unwrap();
    assert_eq!(state(first), None);
    assert!(process.launch.folder.as_ref().unwrap().exists());
    process.start_again().unwrap();
    assert_ne!(process.pid(), Some(first));
    assert!(process.is_alive());
}

#[test]
fn a_paused_process_stands_still_until_it_is_resumed() {
    let mut process = start(&["sleep", "600"]);
    let pid = process.pid().unwrap();
    let stands = |wanted: char| {
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            state(pid) == Some(wanted)
        })
    };
    process.pause().unwrap();
    assert!(stands('T'));
    process.resume().unwrap();
    assert!(stands('S'));
}

#[test]
fn the_exit_code_of_a_process_is_told() {
    let mut process = start(&["sh", "-c", "echo $WORD; exit 7"]);
    assert_eq!(process.wait(Duration::from_secs(10)).unwrap(), Some(7));
    assert_eq!(process.log_end(), "seven");

    let mut process = start(&["sleep", "600"]);
    assert_eq!(process.wait(Duration::ZERO).unwrap(), None);
    process.terminate().unwrap();
    assert_eq!(
        process.wait(Duration::from_secs(10)).unwrap(),
        Some(128 + 15)
    );
}

#[test]
fn a_process_that_ends_is_not_waited_for_until_the_limit() {
    let process = start(&["sh", "-c", "echo broken configuration; exit 1"]);
    let error = process
        .ready(Duration::from_secs(60), || {
            Err::<(), _>("no answer".to_owned())
        })
        .unwrap_err()
        .to_string();
    assert!(error.contains("it ended"), "{error}");
    assert!(error.contains("broken configuration"), "{error}");
}
