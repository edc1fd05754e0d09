//! What the configuration and the environment of this machine say.

use std::collections::BTreeSet;

use clap::CommandFactory;

use super::finding::Finding;
use crate::{arguments::Arguments, contexts, help::topics, output::numbers::counted};

/// What the tests of this project read, which is nobody's mistake.
const TESTS: &str = "MCPANEL_TEST_";

/// How many letters may differ between a variable that is meant and one that was typed.
const LETTERS_DIFFERENT_MAX: usize = 3;

/// Looks at the contexts and the variables.
pub fn look(findings: &mut Vec<Finding>) {
    findings.push(contexts());
    findings.extend(variables());
}

fn contexts() -> Finding {
    const CHECK: &str = "contexts";
    let path = match contexts::path() {
        Ok(path) => path,
        Err(failure) => {
            return Finding::warning(CHECK, failure.what)
                .hint("set XDG_CONFIG_HOME or HOME; contexts cannot be kept without");
        }
    };
    let shown = path.display();
    match contexts::load() {
        Err(failure) => Finding::failure(CHECK, &failure),
        Ok(all) if all.contexts.is_empty() => {
            Finding::ok(CHECK, format!("none are kept (`{shown}`)"))
        }
        Ok(all) => match &all.current {
            Some(current) if !all.contexts.contains_key(current) => Finding::problem(
                CHECK,
                format!("`{shown}` uses context `{current}`, which it does not hold"),
            )
            .hint("choose one with `mcpanel context use NAME`"),
            current => {
                let kept = counted(all.contexts.len() as u64, "context");
                let used = match current {
                    Some(current) => format!("`{current}` is used"),
                    None => "none is used".to_owned(),
                };
                Finding::ok(CHECK, format!("{kept} in `{shown}`, {used}"))
            }
        },
    }
}

fn variables() -> Vec<Finding> {
    const CHECK: &str = "environment";
    let known = known();
    let mut findings: Vec<Finding> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("MCPANEL_") && !name.starts_with(TESTS))
        .filter(|name| !known.contains(name))
        .map(|name| {
            let finding = Finding::warning(CHECK, format!("nothing reads `{name}`"));
            match nearest(&name, &known) {
                Some(meant) => finding.hint(format!("was `{meant}` meant?")),
                None => finding.hint("`mcpanel help environment` lists what is read"),
            }
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, "every MCPANEL_ variable is read"));
    }
    findings
}

/// All variables that are read: those of options, and those beside.
fn known() -> BTreeSet<String> {
    let mut known: BTreeSet<String> = topics::variables().map(str::to_owned).collect();
    let mut commands = vec![Arguments::command()];
    while let Some(command) = commands.pop() {
        let named = command.get_arguments().filter_map(clap::Arg::get_env);
        known.extend(named.filter_map(|name| name.to_str().map(str::to_owned)));
        commands.extend(command.get_subcommands().cloned());
    }
    known
}

/// The known name that differs least, if it differs little.
fn nearest(name: &str, known: &BTreeSet<String>) -> Option<String> {
    known
        .iter()
        .map(|other| (distance(name, other), other))
        .filter(|(distance, _)| *distance <= LETTERS_DIFFERENT_MAX)
        .min()
        .map(|(_, other)| other.clone())
}

/// Letters to add, leave out or replace to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, to) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_was_mistyped_is_guessed() {
        let known = known();
        assert!(known.contains("MCPANEL_HTTP"), "options are known");
        assert_eq!(
            nearest("MCPANEL_APIKEY", &known).as_deref(),
            Some("MCPANEL_API_KEY")
        );
        assert_eq!(nearest("MCPANEL_SOMETHING_ELSE", &known), None);
    }

    #[test]
    fn distances_are_counted_in_letters() {
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abc", "ab"), 1);
        assert_eq!(distance("abc", "axc"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
