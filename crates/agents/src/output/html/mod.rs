//! `report.html`: one file, no script, no outside resource, light and dark, from wide screens to phones.
//!
//! Charts are HTML boxes placed in percent ([`charts`]), so that their text keeps its size on every screen;
//! only the ribbons of the flow are a picture ([`flow`]). Every chart has its numbers as text beside it.

mod charts;
mod flow;
mod gaps;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::report::Report;

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(report: &Report) -> String {
    let source = source_name(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Dataset report · " (source) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.eyebrow { "mcpanel dataset report" }
                    h1 { (source) }
                    (headline(report))
                    (figures(report))
                }
                main {
                    (section("flow", "From rows to records", flow::lead(report), flow::chart(report)))
                    (section("drops", "What was left out, and why", drops_lead(report), charts::drops(report)))
                    (section("identifiers", "Personal identifiers removed", identifiers_lead(report), charts::identifiers(report)))
                    (section("groups", "Who is spoken of", gaps::groups_lead(report), gaps::representation(report)))
                    (section("sentiment", "Are they answered alike? Tone", gaps::sentiment_lead(report), gaps::sentiment(report)))
                    (section("advice", "Are they answered alike? Advice", gaps::advice_lead(report), gaps::advice(report)))
                    (section("lengths", "Lengths", lengths_lead(report), charts::lengths(report)))
                    (section("topics", "Topics", topics_lead(report), charts::topics(report)))
                    (section("splits", "Splits", splits_lead(report), charts::splits(report)))
                    (section("review", "For a person to read", review_lead(report), charts::flags(report)))
                }
                footer {
                    p {
                        "Made by mcpanel " (report.mcpanel) ". The same file and the same seed give the same dataset and the same report. "
                        "Tokens are counted with " code { (report.token_counting) } ", an approximation. "
                        "The numbers behind every picture are in " code { "report.json" } "."
                    }
                }
            }
        }
    }
    .into_string()
}

fn section(id: &str, title: &str, lead: Markup, body: Markup) -> Markup {
    html! {
        section id=(id) {
            h2 { (title) }
            div.lead { (lead) }
            (body)
        }
    }
}

fn source_name(report: &Report) -> String {
    let names: Vec<&str> = report
        .files
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|file| file.get("name")?.as_str())
        .collect();
    if names.is_empty() {
        "unnamed source".to_owned()
    } else {
        names.join(", ")
    }
}

fn headline(report: &Report) -> Markup {
    let (rows, records) = (report.rows(), report.records());
    html! {
        p.headline {
            b { (number(records)) } " of " (number(rows)) " rows became conversations"
            @if rows > 0 { " (" (percent(records, rows)) ")" }
            ". Every row that did not is accounted for below."
        }
    }
}

fn figures(report: &Report) -> Markup {
    let figure =
        |value: String, label: &str| html! { div.figure { b { (value) } span { (label) } } };
    html! {
        div.figures {
            (figure(number(report.records()), "conversations"))
            (figure(compact(report.tokens()), "tokens, about"))
            (figure(number(report.identifiers_total()), "identifiers removed"))
            (figure(number(report.records_to_review), "flagged for review"))
        }
    }
}

fn drops_lead(report: &Report) -> Markup {
    let total: u64 = report
        .stages
        .iter()
        .flat_map(|stage| stage.dropped.values())
        .sum();
    html! {
        p {
            @if total == 0 { "Nothing was left out." }
            @else {
                (number(total)) " rows, each counted once by its first reason. The " code { "rejects" } " and " code { "drops" }
                " artifacts of the run name every one with its line."
            }
        }
    }
}

fn identifiers_lead(report: &Report) -> Markup {
    html! {
        p {
            (number(report.identifiers_total())) " identifiers in " (number(report.records_with_identifiers))
            " records were replaced with placeholders such as " code { "[NAME]" }
            ". Automatic rules miss some: treat the dataset as sensitive."
        }
    }
}

fn lengths_lead(report: &Report) -> Markup {
    let mean = |name: &str| report.lengths.get(name).map_or(0.0, |lengths| lengths.mean);
    html! {
        p {
            "In words. A question has " (format!("{:.0}", mean("question_words"))) " on average, an answer "
            (format!("{:.0}", mean("answer_words"))) "."
        }
    }
}

fn topics_lead(report: &Report) -> Markup {
    html! { p { (number(report.topics.len() as u64)) " topics; a conversation may have several." } }
}

fn splits_lead(report: &Report) -> Markup {
    html! {
        p {
            "Seed " (report.seed) ". All answers to one question are in the same split, so nothing asked in training is asked again in a test."
        }
    }
}

fn review_lead(report: &Report) -> Markup {
    html! {
        p {
            @if report.records_to_review == 0 { "No conversation speaks of a crisis." }
            @else {
                (number(report.records_to_review)) " conversations speak of a crisis. They are kept, carry a flag, and are listed in the "
                code { "review" } " artifacts. A conversation may carry several flags."
            }
        }
    }
}

/// `1 234 567`, with thin spaces.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// `950`, `12.3 k`, `4.56 M`.
fn compact(value: u64) -> String {
    match value {
        0..10_000 => number(value),
        10_000..1_000_000 => format!("{:.0}\u{202f}k", value as f64 / 1e3),
        _ => format!("{:.2}\u{202f}M", value as f64 / 1e6),
    }
}

/// `12.3 %`.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1}\u{202f}%", 100.0 * part as f64 / whole as f64)
}

/// `near_duplicate` as words.
fn words(code: &str) -> String {
    code.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1234567), "1\u{202f}234\u{202f}567");
        assert_eq!(compact(1_234_567), "1.23\u{202f}M");
        assert_eq!(percent(1, 8), "12.5\u{202f}%");
        assert_eq!(percent(0, 0), "–");
    }
}
