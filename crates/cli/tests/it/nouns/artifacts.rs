//! `mcpanel artifacts`.

use crate::shell::Shell;

#[test]
fn a_file_goes_up_and_comes_down_the_same() {
    let shell = Shell::open();
    shell.file("rows.csv", "a,b\n1,ä\n");
    let stored = shell
        .run(&["artifacts", "upload", "rows.csv", "-o", "json"])
        .json();
    let id = stored["artifact_id"].as_str().unwrap();
    assert_eq!(stored["media_type"], "text/csv");
    assert_eq!(
        shell
            .run(&["artifacts", "list", "--role", "input", "-o", "name"])
            .ok(),
        format!("{id}\n")
    );
    assert_eq!(
        shell.run(&["artifacts", "download", id, "--to", "-"]).ok(),
        "a,b\n1,ä\n"
    );
    let taken = shell.run(&["artifacts", "download", id]).refused(5);
    assert!(
        taken.contains("`rows.csv` is there already") && taken.contains("--force"),
        "{taken}"
    );
    assert_eq!(
        shell
            .run(&["artifacts", "download", id, "--to", "copy.csv"])
            .ok(),
        "copy.csv\n"
    );
    assert_eq!(shell.read("copy.csv"), "a,b\n1,ä\n");
    std::fs::create_dir(shell.folder.path().join("folder")).unwrap();
    shell
        .run(&["artifacts", "download", id, "--to", "folder"])
        .ok();
    assert_eq!(shell.read("folder/rows.csv"), "a,b\n1,ä\n");
    shell.file("rows.csv", "old");
    shell.run(&["artifacts", "download", id, "--force"]).ok();
    assert_eq!(shell.read("rows.csv"), "a,b\n1,ä\n");
}

#[test]
fn files_that_are_not_there_are_named() {
    let shell = Shell::open();
    assert_eq!(
        shell.run(&["artifacts", "download", "art_none"]).code,
        Some(3)
    );
    let refused = shell.run(&["artifacts", "upload", "none.csv"]).refused(1);
    assert!(refused.contains("`none.csv`"), "{refused}");
}
