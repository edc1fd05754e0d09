//! Stage 4, `standardization`: every record becomes one conversation of the same shape.
//!
//! System, user, assistant; topics, provenance, token counts and earlier notes as metadata. The shape is
//! `schemas/chat-record.schema.json`. Parameter: `system_prompt`.

pub mod tokens;

use crate::{
    io::chunks::{beside, map_chunks},
    job::Job,
    metrics::StageMetrics,
    parameters::{Parameters, bad},
    record::{ChatRecord, CleanRecord, Message, Metadata},
    stage::{Stage, StageError, Summary},
    stages::STANDARDIZATION,
};

/// The system turn unless `system_prompt` says otherwise.
pub const SYSTEM_PROMPT: &str = "You are a supportive counsellor. You listen, answer with empathy and care, and encourage people to seek \
     professional or emergency help when they may be in danger.";

/// A system turn is repeated in every record; longer ones belong elsewhere.
const SYSTEM_PROMPT_CHARS_MAX: usize = 4000;

/// The stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standardization;

impl Stage for Standardization {
    fn task_type(&self) -> &'static str {
        STANDARDIZATION
    }

    fn run(&self, job: &dyn Job) -> Result<Summary, StageError> {
        let system = Parameters(job.parameters())
            .text("system_prompt")?
            .unwrap_or(SYSTEM_PROMPT)
            .trim();
        if system.is_empty() || system.chars().count() > SYSTEM_PROMPT_CHARS_MAX {
            let message = format!("expected a text of 1 to {SYSTEM_PROMPT_CHARS_MAX} characters");
            return Err(bad("system_prompt", message));
        }
        let mut metrics = StageMetrics::new(STANDARDIZATION);
        let chunks = map_chunks(job, "writing conversations", |record: CleanRecord| {
            metrics.records_in += 1;
            metrics.records_out += 1;
            let chat = to_chat(record, system);
            let tokens = chat.metadata.tokens;
            for (role, count) in [
                ("system", tokens.system),
                ("user", tokens.user),
                ("assistant", tokens.assistant),
            ] {
                metrics.count("tokens", role, count);
            }
            Ok(Some(chat))
        })?;
        metrics
            .facts
            .insert("token_counting".into(), tokens::METHOD.into());
        metrics.publish(job, &beside("metrics", &chunks, "json"))
    }
}

fn to_chat(record: CleanRecord, system: &str) -> ChatRecord {
    let user = user_turn(&record.title, &record.question);
    let tokens = tokens::of(system, &user, &record.answer);
    let message = |role: &str, content: String| Message {
        role: role.to_owned(),
        content,
    };
    ChatRecord {
        id: record.id,
        messages: vec![
            message("system", system.to_owned()),
            message("user", user),
            message("assistant", record.answer),
        ],
        metadata: Metadata {
            group: record.group,
            topics: record.topics,
            source: record.source,
            tokens,
            pii: record.pii,
            bias: record.bias,
            upvotes: record.upvotes,
            flags: Vec::new(),
        },
    }
}

/// Title and question as one turn; a title that only repeats the beginning of the question is left out.
fn user_turn(title: &str, question: &str) -> String {
    let bare = title.trim_end_matches(['.', '?', '!', '…', ' ']);
    let repeated = !bare.is_empty()
        && question
            .get(..bare.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(bare));
    match (title.is_empty() || repeated, question.is_empty()) {
        (true, _) => question.to_owned(),
        (false, true) => title.to_owned(),
        (false, false) => format!("{title}\n\n{question}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_and_question_become_one_turn_without_repetition() {
        assert_eq!(
            user_turn("Am I ill?", "I cannot sleep."),
            "Am I ill?\n\nI cannot sleep."
        );
        assert_eq!(
            user_turn("Am I ill?", "am i ill? I cannot sleep."),
            "am i ill? I cannot sleep."
        );
        assert_eq!(user_turn("Am I ill?", ""), "Am I ill?");
        assert_eq!(user_turn("", "I cannot sleep."), "I cannot sleep.");
        assert_eq!(user_turn("é?", "è"), "é?\n\nè");
    }
}
