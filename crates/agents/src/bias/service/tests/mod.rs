//! The stage over a service on the loopback device that speaks the wire format, or fails to.

mod fake;

use std::{fs, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use self::fake::{Fake, Reply};
use super::{wire, *};
use crate::{
    bias::{ANALYZERS, BiasDetection},
    job::{Input, role},
    local::{LocalJob, file_input, run_local_stages},
    metrics::StageMetrics,
    stage::{Stage, StageError},
    stages,
};

fn record(number: usize) -> CleanRecord {
    serde_json::from_value(json!({
        "id": format!("rec_{number}"),
        "source": {"file": "sha256:00", "row": number, "line": number},
        "group": "g",
        "question": "My wife is sad.",
        "answer": "I'm so sorry. A therapist can help."
    }))
    .unwrap()
}

/// What a run of the stage over some records leaves.
struct Ran {
    outcome: Result<Summary, StageError>,
    log: Vec<String>,
    records: Vec<CleanRecord>,
    metrics: Option<StageMetrics>,
}

type Summary = crate::stage::Summary;

fn run(url: Option<&str>, records: usize, parameters: Value) -> Ran {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("chunk-000001.jsonl");
    let lines: Vec<String> = (1..=records)
        .map(|number| serde_json::to_string(&record(number)).unwrap() + "\n")
        .collect();
    fs::write(&path, lines.concat()).unwrap();
    let (input, path) = file_input(&path).unwrap();
    let input = Input {
        role: role::CHUNK.to_owned(),
        stage: 2,
        ..input
    };
    let out = directory.path().join("out");
    let job = LocalJob::new(vec![(input, path)], &out, 3, 0, parameters).unwrap();
    let service = url.map(|url| ServiceUrl::parse(url).unwrap());
    let outcome = BiasDetection::new(service).run(&job);
    let text = |name: &str| fs::read_to_string(out.join(name)).unwrap_or_default();
    Ran {
        outcome,
        log: job.messages(),
        records: text("chunk-000001.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
        metrics: serde_json::from_str(&text("metrics-000001.json")).ok(),
    }
}

#[test]
fn notes_of_the_service_take_the_place_of_the_built_in_ones() {
    let fake = Fake::start(|_, request| Reply::noting(request, 0.25));
    let ran = run(Some(&fake.url), 70, json!({"flask_api_url": fake.url}));
    ran.outcome.unwrap();
    assert_eq!(ran.records.len(), 70);
    for (record, number) in ran.records.iter().zip(1..) {
        assert_eq!(record.id, format!("rec_{number}"));
        let notes = record.bias.as_ref().unwrap();
        assert_eq!(notes.sentiment_milli, 250);
        assert_eq!(notes.groups, ["gender/from_service"]);
    }
    let metrics = ran.metrics.unwrap();
    assert_eq!(metrics.counters[ANALYZERS]["bias service `fake 1`"], 70);
    let asked = fake.requests();
    let sizes: Vec<usize> = asked
        .iter()
        .map(|request| request["records"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [64, 6]);
    assert_eq!(asked[0]["version"], wire::VERSION);
    let fields: Vec<&String> = asked[0]["records"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["answer", "id", "question", "title", "topics"]);
}

#[test]
fn a_service_that_comes_back_is_asked_again() {
    let fake = Fake::start(|number, request| match number {
        0 => Reply::status(503),
        1 => Reply::Hangup,
        _ => Reply::noting(request, -1.0),
    });
    let ran = run(Some(&fake.url), 1, json!({}));
    ran.outcome.unwrap();
    assert_eq!(fake.requests().len(), 3);
    assert_eq!(ran.records[0].bias.as_ref().unwrap().sentiment_milli, -1000);
}

#[test]
fn a_service_that_stays_away_fails_the_task_so_that_it_can_be_retried() {
    let fake = Fake::start(|_, _| Reply::status(500));
    let ran = run(Some(&fake.url), 1, json!({}));
    let error = ran.outcome.unwrap_err();
    assert_eq!(error.error_type().as_str(), "external_service");
    assert!(error.chain().contains("status 500"), "{}", error.chain());
    assert_eq!(fake.requests().len(), PAUSES_MS.len() + 1);
    assert!(ran.metrics.is_none(), "nothing is handed on");
}

#[test]
fn a_refusal_is_not_repeated_and_nothing_it_says_is_repeated_either() {
    let fake = Fake::start(|_, _| Reply::Answer(400, "your words were: secret".into()));
    let error = run(Some(&fake.url), 1, json!({})).outcome.unwrap_err();
    assert_eq!(fake.requests().len(), 1);
    assert!(!error.chain().contains("secret"), "{}", error.chain());
}

#[test]
fn a_redirect_takes_the_records_nowhere() {
    let other = Fake::start(|_, request| Reply::noting(request, 0.0));
    let to = format!("{}/analyze", other.url);
    let fake = Fake::start(move |_, _| Reply::Redirect(to.clone()));
    let error = run(Some(&fake.url), 1, json!({})).outcome.unwrap_err();
    assert!(error.chain().contains("status 307"), "{}", error.chain());
    assert!(other.requests().is_empty());
}

#[test]
fn a_service_that_hangs_is_given_up() {
    let fake = Fake::start(|_, _| Reply::Never);
    let begun = std::time::Instant::now();
    let error = run(Some(&fake.url), 1, json!({"flask_timeout_ms": 50}))
        .outcome
        .unwrap_err();
    assert!(error.chain().contains("in time"), "{}", error.chain());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_built_in_measures_take_over_only_when_asked_and_say_so() {
    let fake = Fake::start(|number, request| match number {
        0 => Reply::noting(request, 0.5),
        _ => Reply::status(400),
    });
    let ran = run(Some(&fake.url), 130, json!({"flask_fallback": "built_in"}));
    ran.outcome.unwrap();
    assert_eq!(
        fake.requests().len(),
        2,
        "it is not asked for the third batch"
    );
    let analyzers = &ran.metrics.unwrap().counters[ANALYZERS];
    assert_eq!(analyzers["bias service `fake 1`"], 64);
    assert_eq!(analyzers["built-in word lists"], 66);
    let warning = ran.log.join("\n");
    assert!(
        warning.contains("Warn") && warning.contains("status 400"),
        "{warning}"
    );
}

#[test]
fn an_address_that_only_the_task_names_is_not_called() {
    let fake = Fake::start(|_, request| Reply::noting(request, 0.0));
    let own = Fake::start(|_, request| Reply::noting(request, 0.0));
    for started_with in [None, Some(own.url.as_str())] {
        let ran = run(started_with, 1, json!({"flask_api_url": fake.url}));
        let error = ran.outcome.unwrap_err();
        assert_eq!(error.error_type().as_str(), "validation");
        assert!(error.chain().contains("FLASK_API_URL"), "{}", error.chain());
    }
    assert!(fake.requests().is_empty() && own.requests().is_empty());
}

#[test]
fn a_cancelled_task_does_not_wait_for_the_service() {
    let fake = Fake::start(|_, _| Reply::Never);
    let url = ServiceUrl::parse(&fake.url).unwrap();
    let mut service = Service::connect(&url, Duration::from_secs(60)).unwrap();
    let directory = TempDir::new().unwrap();
    let job = LocalJob::new(Vec::new(), directory.path(), 3, 0, json!({})).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            fake.until_asked();
            job.cancel();
        });
        let outcome = service.analyze(&job, &[record(1)]);
        assert!(matches!(outcome, Err(StageError::Cancelled)), "{outcome:?}");
    });
}

#[test]
fn the_report_names_who_measured() {
    let fake = Fake::start(|_, request| Reply::noting(request, 0.1));
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("rows.jsonl");
    let rows: String = (0..30)
        .map(|number| {
            let question =
                format!("How can I sleep better when worry number {number} keeps me up?");
            let answer = format!(
                "Try to write it down before bed, and rest; this is advice number {number}."
            );
            json!({"question": question, "answer": answer}).to_string() + "\n"
        })
        .collect();
    fs::write(&file, rows).unwrap();
    let stages = stages::all_with(Some(ServiceUrl::parse(&fake.url).unwrap()));
    let out = directory.path().join("out");
    let run = run_local_stages(&stages, &file, &out, json!({"seed": 1})).unwrap();
    let report: Value =
        serde_json::from_str(&fs::read_to_string(run.output.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["analyzer"], "bias service `fake 1`");
    assert_eq!(report["bias"]["groups"][0]["group"], "from_service");
}

#[test]
fn addresses_are_checked_before_anything_is_sent() {
    let good = ServiceUrl::parse(" http://bias.internal:8000/v2/ ").unwrap();
    assert_eq!(good.to_string(), "http://bias.internal:8000/v2");
    assert_eq!(
        good.analyze().as_str(),
        "http://bias.internal:8000/v2/analyze"
    );
    assert_eq!(
        good,
        ServiceUrl::parse("http://bias.internal:8000/v2").unwrap()
    );
    assert!(ServiceUrl::parse("https://bias.internal").is_ok());
    for (bad, why) in [
        ("bias.internal", "expected an address"),
        ("file:///etc/passwd", "`file://…`"),
        ("http://user:secret@bias.internal", "user name"),
        ("http://bias.internal/?key=1", "query"),
        ("http://bias.internal/#x", "fragment"),
    ] {
        let error = ServiceUrl::parse(bad).unwrap_err().to_string();
        assert!(error.contains(why), "{bad}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn answers_that_are_not_as_agreed_are_refused_with_the_place() {
    let records = [record(1), record(2)];
    let one = json!({"id": "rec_1", "groups": ["age/18_29"], "sentiment": 0.0, "advice": []});
    let with = |field: &str, value: Value| {
        let mut other = json!({"id": "rec_2", "groups": [], "sentiment": 0.0, "advice": []});
        other[field] = value;
        json!({"results": [one, other]}).to_string()
    };
    let many: Vec<String> = (0..51).map(|number| format!("kind_{number}")).collect();
    for (answer, why) in [
        ("not json".to_owned(), "not JSON, line 1"),
        ("[]".to_owned(), "not of the shape"),
        (json!({"results": [one]}).to_string(), "each of 2 records, found 1"),
        (json!({"results": [one, one]}).to_string(), "`results[1].id`"),
        (with("id", json!("rec_9")), "`results[1].id`"),
        (with("id", json!(2)), "not of the shape"),
        (with("sentiment", json!(1.5)), "`results[1].sentiment`"),
        (with("sentiment", json!(null)), "not of the shape"),
        (with("groups", json!(["female"])), "`results[1].groups`"),
        (with("groups", json!(["gender/<b>"])), "`results[1].groups`"),
        (with("advice", json!(["Self help"])), "`results[1].advice`"),
        (with("advice", json!(many)), "`results[1].advice`"),
        (
            json!({"analyzer": "a\nb", "results": [one, {"id": "rec_2", "groups": [], "sentiment": 0, "advice": []}]})
                .to_string(),
            "`analyzer`",
        ),
    ] {
        let error = wire::read(answer.as_bytes(), &records).unwrap_err().to_string();
        assert!(error.contains(why), "{answer}: {error}");
    }
}

#[test]
fn answers_may_come_in_any_order_and_count_a_word_once() {
    let records = [record(1), record(2)];
    let answer = json!({"results": [
        {"id": "rec_2", "groups": ["age/18_29", "age/18_29"], "sentiment": -0.0004, "advice": ["b", "a", "b"]},
        {"id": "rec_1", "groups": [], "sentiment": 1, "advice": []},
    ]});
    let answer = wire::read(answer.to_string().as_bytes(), &records).unwrap();
    assert_eq!(answer.notes[0].sentiment_milli, 1000);
    assert_eq!(answer.notes[1].sentiment_milli, 0);
    assert_eq!(answer.notes[1].groups, ["age/18_29"]);
    assert_eq!(answer.notes[1].advice, ["a", "b"]);
}

#[test]
fn a_service_that_makes_up_words_without_end_is_refused() {
    let fake = Fake::start(|_, request| Reply::own_group_each(request));
    let error = run(Some(&fake.url), WORDS_MAX + 1, json!({}))
        .outcome
        .unwrap_err();
    assert!(
        error.chain().contains("different groups"),
        "{}",
        error.chain()
    );
}
