//! What to try after a word that is no command: which commands there are, and that the noun comes first.

use clap::{
    Command, Error,
    builder::StyledStr,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Adds what to try to a complaint about a word that is no command. `typed` are the words after `mcpanel`.
pub fn explained(mut error: Error, root: &Command, typed: &[String]) -> Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let Some((path, rest)) = place(root, typed, word) else {
        return error;
    };
    let tip = match turned(root, &path, word, rest) {
        Some(right) => {
            error.remove(ContextKind::SuggestedSubcommand);
            format!("the noun comes first: `mcpanel {right}`")
        }
        None if error.get(ContextKind::SuggestedSubcommand).is_some() => return error,
        None => {
            let group = path.last().copied().unwrap_or(root);
            let names: Vec<&str> = group
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .map(Command::get_name)
                .collect();
            format!("there are {}", names.join(", "))
        }
    };
    let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
    error.insert(ContextKind::Suggested, tip);
    error
}

/// The commands before `word`, and the words after it.
fn place<'a, 't>(
    root: &'a Command,
    typed: &'t [String],
    word: &str,
) -> Option<(Vec<&'a Command>, &'t [String])> {
    let mut path: Vec<&Command> = Vec::new();
    for (at, text) in typed.iter().enumerate() {
        let group = path.last().copied().unwrap_or(root);
        if let Some(below) = group.find_subcommand(text) {
            path.push(below);
        } else if text == word {
            return Some((path, &typed[at + 1..]));
        }
    }
    None
}

/// `tasks list` for `list tasks` or `list task`.
fn turned(root: &Command, path: &[&Command], verb: &str, rest: &[String]) -> Option<String> {
    if !path.is_empty() {
        return None;
    }
    let noun = rest.iter().find(|text| !text.starts_with('-'))?;
    let group = root
        .find_subcommand(noun)
        .or_else(|| root.find_subcommand(format!("{noun}s")))?;
    let verb = group.find_subcommand(verb)?;
    Some(format!("{} {}", group.get_name(), verb.get_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &[&str]) -> String {
        let typed: Vec<String> = words.iter().map(ToString::to_string).collect();
        let command = crate::help::command();
        let error = command
            .clone()
            .try_get_matches_from([&["mcpanel"], words].concat())
            .unwrap_err();
        explained(error, &command, &typed).to_string()
    }

    #[test]
    fn a_word_that_is_no_command_is_told_with_those_there_are() {
        for (words, tip) in [
            (&["tasks", "show", "a"][..], "there are submit, list, get, "),
            (
                &["--url", "http://x", "ops", "show"],
                "there are list, get, ",
            ),
            (&["frobnicate"], "there are run, serve, dev, "),
            (
                &["list", "tasks"],
                "the noun comes first: `mcpanel tasks list`",
            ),
            (
                &["cancel", "task", "a"],
                "the noun comes first: `mcpanel tasks cancel`",
            ),
            (&["tasks", "lst"], "a similar subcommand exists: 'list'"),
            (&["task", "list"], "a similar subcommand exists: 'tasks'"),
        ] {
            let told = told(words);
            assert!(told.contains(tip), "{words:?}: {told}");
        }
        assert!(
            !told(&["list", "tasks"]).contains("history"),
            "one tip is enough"
        );
    }

    #[test]
    fn other_mistakes_are_told_as_ever() {
        assert!(!told(&["tasks", "list", "--nope"]).contains("there are"));
        assert!(!told(&["tasks"]).contains("there are"));
    }
}
