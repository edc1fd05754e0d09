//! The command that shows what a list shows, to copy.

use maud::{Markup, html};

use super::{
    list::{Query, moment},
    parts,
};

/// What of a query is how the page is shown, and no condition.
const SHOWING: [&str; 3] = ["after", "from_row", "limit"];

/// How a condition is said on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// As it stands.
    Plain,
    /// As a moment, which the page reads in shorter forms too.
    Moment,
}

/// A list: its command, and for each condition of its address the option that says it.
#[derive(Debug)]
pub struct Listed {
    /// The command, such as `tasks list`.
    pub command: &'static str,
    /// Name in the address, option, form.
    pub options: &'static [(&'static str, &'static str, Said)],
}

/// Tasks.
pub const TASKS: Listed = Listed {
    command: "tasks list",
    options: &[
        ("status", "--status", Said::Plain),
        ("type", "--type", Said::Plain),
        ("agent", "--agent", Said::Plain),
        ("held", "--held-by", Said::Plain),
        ("pipeline", "--pipeline", Said::Plain),
        ("stage", "--stage", Said::Plain),
        ("from", "--since", Said::Moment),
        ("before", "--until", Said::Moment),
        ("ended", "--ended-since", Said::Moment),
        ("ended_before", "--ended-until", Said::Moment),
        ("q", "--text", Said::Plain),
    ],
};

/// Pipelines.
pub const PIPELINES: Listed = Listed {
    command: "pipelines list",
    options: &[
        ("status", "--status", Said::Plain),
        ("template", "--template", Said::Plain),
        ("tag", "--tag", Said::Plain),
        ("from", "--since", Said::Moment),
        ("before", "--until", Said::Moment),
        ("q", "--text", Said::Plain),
    ],
};

/// Agents; their text is searched for on the page alone.
pub const AGENTS: Listed = Listed {
    command: "agents list",
    options: &[("status", "--status", Said::Plain)],
};

/// Events.
pub const EVENTS: Listed = Listed {
    command: "events list",
    options: &[
        ("kind", "--type", Said::Plain),
        ("task", "--task", Said::Plain),
        ("agent", "--agent", Said::Plain),
        ("pipeline", "--pipeline", Said::Plain),
        ("by", "--by", Said::Plain),
        ("from", "--since", Said::Moment),
        ("until", "--until", Said::Moment),
        ("q", "--text", Said::Plain),
    ],
};

impl Listed {
    /// The command that shows what this query shows; none where the command line cannot say it: two values of a condition, or a
    /// condition that it does not have.
    pub fn command(&self, query: &Query) -> Option<String> {
        let mut words = vec!["mcpanel".to_owned(), self.command.to_owned()];
        let mut said: Vec<&str> = Vec::new();
        for (name, value) in query.pairs() {
            let value = value.trim();
            if value.is_empty() || SHOWING.contains(&name.as_str()) {
                continue;
            }
            let (name, option, form) = self.options.iter().find(|(known, ..)| known == name)?;
            if said.contains(name) {
                return None;
            }
            said.push(name);
            let value = match form {
                Said::Plain => value.to_owned(),
                Said::Moment => moment(value)?.to_string(),
            };
            // What begins with a hyphen would be taken for an option of its own.
            let between = if value.starts_with('-') { "=" } else { " " };
            words.push(format!("{option}{between}{}", quoted(&value)));
        }
        Some(words.join(" "))
    }

    /// A line with the command, where there is one.
    pub fn draw(&self, query: &Query) -> Markup {
        html! {
            @if let Some(command) = self.command(query) {
                p.same { span.muted { "On the command line" } " " (parts::id(&command)) }
            }
        }
    }
}

/// A word for a shell: as it is where nothing in it means anything to one.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the command line has, written by the command line itself.
    const REFERENCE: &str = include_str!("../../../../docs/cli.md");

    fn command(listed: &Listed, query: &str) -> Option<String> {
        listed.command(&Query::read(Some(query)))
    }

    #[test]
    fn a_filter_is_said_with_options() {
        let said = command(
            &TASKS,
            "status=failed&type=bias_detection&from=2026-01-02&after=x&q=",
        );
        assert_eq!(
            said.as_deref(),
            Some(
                "mcpanel tasks list --status failed --type bias_detection --since 2026-01-02T00:00:00.000Z"
            )
        );
        assert_eq!(command(&AGENTS, "").as_deref(), Some("mcpanel agents list"));
        let said = command(&EVENTS, "kind=task:failed&by=key:k1&until=2026-01-03T04:05");
        assert_eq!(
            said.as_deref(),
            Some(
                "mcpanel events list --type task:failed --by key:k1 --until 2026-01-03T04:05:00.000Z"
            )
        );
    }

    #[test]
    fn what_cannot_be_said_is_not_said_wrongly() {
        assert_eq!(command(&TASKS, "status=assigned&status=running"), None);
        assert_eq!(command(&AGENTS, "q=reader"), None);
        assert_eq!(command(&TASKS, "from=soon"), None);
    }

    #[test]
    fn words_mean_nothing_to_a_shell() {
        for (text, word) in [
            ("her+own+words", " 'her own words'"),
            ("it%27s", r" 'it'\''s'"),
            ("%24%28id%29%3B%60x%60", " '$(id);`x`'"),
            ("--all", "=--all"),
            ("a/b", " a/b"),
        ] {
            let said = command(&PIPELINES, &format!("q={text}"));
            assert_eq!(said, Some(format!("mcpanel pipelines list --text{word}")));
        }
    }

    #[test]
    fn every_option_is_one_of_the_command_line() {
        for listed in [TASKS, PIPELINES, AGENTS, EVENTS] {
            let title = format!("mcpanel {}`", listed.command);
            let section = REFERENCE.split("\n#").find(|section| {
                section
                    .lines()
                    .next()
                    .is_some_and(|line| line.contains(&title))
            });
            let section = section.unwrap_or_else(|| panic!("{title}"));
            for (_, option, _) in listed.options {
                assert!(section.contains(&format!("`{option} ")), "{title} {option}");
            }
        }
    }
}
