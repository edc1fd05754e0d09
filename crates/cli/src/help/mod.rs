//! What is said about commands beside their options: examples, and topics of their own.
//!
//! - [`examples`]: what people type, for each command
//! - [`mistakes`]: what to try after a word that is no command
//! - [`topics`]: exit codes, variables, formats: `mcpanel help TOPIC`
//! - [`mod@reference`]: all of it as Markdown, for the documentation

mod examples;
pub mod mistakes;
pub mod reference;
pub mod topics;

use clap::{Command, CommandFactory};

use crate::arguments::Arguments;

/// The command line with its examples.
pub fn command() -> Command {
    let command = with_examples(Arguments::command(), "");
    let environment = topics::environment(&command);
    command.mut_subcommand("environment", |topic| topic.after_help(environment))
}

/// A command and those below it with their examples; `path` is what is typed for it, without `mcpanel`.
fn with_examples(mut command: Command, path: &str) -> Command {
    let below: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in below {
        let path = format!("{path} {name}").trim_start().to_owned();
        command = command.mut_subcommand(name, |command| with_examples(command, &path));
    }
    let Some(examples) = examples::of(path) else {
        return command;
    };
    let lines: Vec<String> = examples.iter().map(|line| format!("  {line}")).collect();
    let examples = format!("Examples:\n{}", lines.join("\n"));
    let help = match command.get_after_help() {
        Some(before) => format!("{before}\n\n{examples}"),
        None => examples,
    };
    command.after_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that do something, as they are typed.
    fn leaves(command: &Command, path: &str, found: &mut Vec<String>) {
        let is_leaf = command.get_subcommands().next().is_none();
        if is_leaf && !command.is_hide_set() {
            found.push(path.to_owned());
        }
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            leaves(below, path.trim_start(), found);
        }
    }

    /// The arguments of an example: what a shell would hand to `mcpanel`.
    fn words(line: &str) -> Vec<String> {
        let (_, line) = line.split_once("mcpanel").unwrap();
        let mut words = vec!["mcpanel".to_owned()];
        let mut quote = None;
        let mut word = String::new();
        for letter in line.chars() {
            match (quote, letter) {
                (None, '\'' | '"') => quote = Some(letter),
                (Some(open), letter) if open == letter => quote = None,
                (None, '|' | '>' | ')' | '#') => break,
                (None, ' ') if word.is_empty() => {}
                (None, ' ') => words.push(std::mem::take(&mut word)),
                (_, letter) => word.push(letter),
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        words
    }

    #[test]
    fn every_command_has_an_example_that_is_right() {
        let command = command();
        let mut all = Vec::new();
        leaves(&command, "", &mut all);
        assert!(all.len() > 50, "{all:?}");
        for path in &all {
            let examples = examples::of(path);
            let examples = examples.unwrap_or_else(|| panic!("`{path}` has no example"));
            for line in examples {
                assert!(line.contains(&format!("mcpanel {path}")), "{path}: {line}");
                let parsed = command.clone().try_get_matches_from(words(line));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
        for path in examples::paths() {
            assert!(
                all.iter().any(|known| known == path),
                "`{path}` is no command"
            );
        }
    }

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        command().debug_assert();
    }
}
