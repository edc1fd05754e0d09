//! The documents lead where they say: every relative link names a file that exists.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 4] = [".", "docs", "examples", "crates"];
const SKIPPED: [&str; 3] = ["target", "node_modules", ".git"];

#[test]
fn every_relative_link_names_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), folder != ".", &mut pages);
    }

    let mut checked = 0;
    let mut broken = Vec::new();
    for page in &pages {
        for target in relative_links(&fs::read_to_string(page).unwrap()) {
            checked += 1;
            if !page.parent().unwrap().join(&target).exists() {
                broken.push(format!("{} → {target}", page.display()));
            }
        }
    }

    assert!(
        checked > 50,
        "found only {checked} links; the search itself must be wrong"
    );
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

#[test]
fn links_are_read_as_markdown_writes_them() {
    let text = "see [a](a.md), [b](docs/b.md#part)\nand [web](https://example.com), [here](#part), `x[0](y)`";
    assert_eq!(relative_links(text), ["a.md", "docs/b.md"]);
}

fn collect(folder: &Path, deep: bool, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && deep && !SKIPPED.contains(&name) {
            collect(&path, deep, pages);
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}

/// The targets of `[text](target)` outside code, without web addresses and places on the same page.
fn relative_links(text: &str) -> Vec<String> {
    let prose = text
        .split("```")
        .step_by(2)
        .flat_map(|block| block.split('`').step_by(2));
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter_map(|target| target.split('#').next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .map(str::to_owned)
        .collect()
}
