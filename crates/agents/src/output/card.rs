//! The dataset card: what is in the dataset, how it was made, what to be careful about.

use std::fmt::Write as _;

use super::{report::Report, split};
use crate::io::outputs::Finished;

/// Topics named in the card; the report has all of them.
const TOPICS_SHOWN: usize = 15;

/// The card as Markdown, with the front matter that dataset hubs read.
pub fn render(report: &Report, files: &[Finished]) -> String {
    let mut card = String::new();
    front_matter(&mut card);
    let write = |card: &mut String, text: std::fmt::Arguments<'_>| {
        card.write_fmt(text)
            .expect("writing to a string cannot fail");
    };
    write(
        &mut card,
        format_args!(
            "# Conversations from {}\n\n{} conversations of a question and an answer (about {} tokens, counted with `{}`), \
             made from {} rows by mcpanel {}.\n\n## Files\n\n| file | records | sha256 |\n| --- | ---: | --- |\n",
            sources(report),
            report.records(),
            report.tokens(),
            report.token_counting,
            report.rows(),
            report.mcpanel,
        ),
    );
    for file in files {
        write(
            &mut card,
            format_args!(
                "| `{}` | {} | `{}` |\n",
                file.output.name, file.records, file.sha256
            ),
        );
    }
    write(
        &mut card,
        format_args!(
            "\nThe split follows from the seed {} and the question: all answers to one question are in one split.\n\n\
             ## A record\n\nOne JSON document per line: `id`, `messages` (`system`, `user`, `assistant`) and `metadata` with \
             `topics`, `source` (digest of the file, row, line), `group` (equal for equal questions), `tokens`, `pii` \
             (identifiers replaced), `bias` (groups mentioned, sentiment, kinds of advice) and `flags`.\n\n\
             ## How it was made\n\n| stage | in | out | left out |\n| --- | ---: | ---: | --- |\n",
            report.seed
        ),
    );
    for stage in &report.stages {
        let dropped: Vec<String> = stage
            .dropped
            .iter()
            .map(|(reason, count)| format!("{reason} {count}"))
            .collect();
        let dropped = if dropped.is_empty() {
            "–".to_owned()
        } else {
            dropped.join(", ")
        };
        write(
            &mut card,
            format_args!(
                "| {} | {} | {} | {dropped} |\n",
                stage.stage, stage.records_in, stage.records_out
            ),
        );
    }
    write(
        &mut card,
        format_args!(
            "\n## Personal identifiers\n\n{} identifiers were replaced with placeholders such as `[NAME]` in {} records. \
             The rules are automatic: they miss some. Treat the dataset as sensitive.\n\n## Review\n\n{} records carry a \
             crisis flag and should be read by a person before use.\n\n## Topics\n\n",
            report.identifiers_total(),
            report.records_with_identifiers,
            report.records_to_review,
        ),
    );
    let mut topics: Vec<_> = report.topics.iter().collect();
    topics.sort_by_key(|(topic, count)| (std::cmp::Reverse(**count), (*topic).clone()));
    for (topic, count) in topics.iter().take(TOPICS_SHOWN) {
        write(&mut card, format_args!("- {} ({count})\n", escape(topic)));
    }
    card.push_str(
        "\n## Limits\n\nThe bias figures in `report.html` come from word lists: they screen, they do not judge. Answers are \
         opinions of their authors, not medical advice. The licence is that of the source.\n",
    );
    card
}

fn front_matter(card: &mut String) {
    card.push_str("---\ntask_categories:\n- text-generation\ntags:\n- conversational\n- mental-health\nconfigs:\n- config_name: default\n  data_files:\n");
    for name in split::NAMES {
        card.push_str(&format!("  - split: {name}\n    path: {name}.jsonl\n"));
    }
    card.push_str("---\n\n");
}

fn sources(report: &Report) -> String {
    let names: Vec<String> = report
        .files
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|file| file.get("name")?.as_str())
        .map(|name| format!("`{}`", name.replace(['`', '\n', '\r'], "")))
        .collect();
    if names.is_empty() {
        "an unnamed source".to_owned()
    } else {
        names.join(", ")
    }
}

/// Text from the data, as text in Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(
            letter,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#'
        ) {
            out.push('\\');
        }
        out.push(if letter.is_control() { ' ' } else { letter });
    }
    out
}
