//! All commands with their options as Markdown: the second half of the page about the command line.

use clap::{Arg, ArgAction, Command};

/// All commands.
pub fn markdown() -> String {
    let mut command = super::command();
    // Settles what is global and how usage is written.
    command.build();
    let mut text = String::from("## Options of every command\n\n");
    options(
        &mut text,
        command.get_arguments().filter(|arg| arg.is_global_set()),
    );
    let about = command.get_subcommands().cloned().collect::<Vec<_>>();
    for below in about {
        section(&mut text, &below, below.get_name());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn section(text: &mut String, command: &Command, path: &str) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let is_group = command.get_subcommands().next().is_some();
    if !is_group {
        text.push_str(&format!("\n### `mcpanel {path}`\n\n"));
        paragraph(text, &about(command));
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim().to_owned();
        text.push_str(&format!("\n    {}\n", usage.replace('\n', "\n    ")));
        let own = command
            .get_arguments()
            .filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
        let own: Vec<&Arg> = own.collect();
        if !own.is_empty() {
            text.push('\n');
            options(text, own.into_iter());
        }
        if let Some(after) = command.get_after_help() {
            let after = after.to_string();
            for block in after.split("\n\n") {
                text.push_str(&format!("\n    {}\n", block.replace('\n', "\n    ")));
            }
        }
        return;
    }
    text.push_str(&format!("\n## `mcpanel {path}`\n\n"));
    paragraph(text, &about(command));
    for below in command.get_subcommands() {
        section(text, below, &format!("{path} {}", below.get_name()));
    }
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    about.map(ToString::to_string).unwrap_or_default()
}

fn paragraph(text: &mut String, words: &str) {
    text.push_str(words.trim_end_matches('.'));
    text.push_str(".\n");
}

/// A line for each option.
fn options<'a>(text: &mut String, options: impl Iterator<Item = &'a Arg>) {
    for option in options {
        if option.is_hide_set() {
            continue;
        }
        let help = option.get_long_help().or(option.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut notes = Vec::new();
        let values: Vec<String> = option
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let takes_value = option.get_action().takes_values();
        if takes_value && !values.is_empty() {
            notes.push(format!("one of {}", values.join(", ")));
        }
        let defaults = option.get_default_values();
        if takes_value && let [default] = defaults {
            notes.push(format!("default `{}`", default.to_string_lossy()));
        }
        if let Some(name) = option.get_env() {
            notes.push(format!("variable {}", name.to_string_lossy()));
        }
        let notes = match notes.as_slice() {
            [] => String::new(),
            notes => format!(" ({})", notes.join("; ")),
        };
        text.push_str(&format!("- `{}`: {help}{notes}\n", typed(option)));
    }
}

/// How an option is typed: `-o, --output <FORMAT>`, `<TASK_ID>…`.
fn typed(option: &Arg) -> String {
    let value = || {
        let names = option.get_value_names().unwrap_or_default();
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        names.join(" ")
    };
    let mut names = Vec::new();
    names.extend(option.get_short().map(|short| format!("-{short}")));
    names.extend(option.get_long().map(|long| format!("--{long}")));
    if names.is_empty() {
        let many = match option.get_action() {
            ArgAction::Append => "…",
            _ => "",
        };
        return format!("{}{many}", value());
    }
    let names = names.join(", ");
    match option.get_action().takes_values() {
        true => format!("{names} {}", value()),
        false => names,
    }
}
