use super::{
    draw::{rounded_up, runs},
    *,
};

fn step(minute: i64, value: Option<u64>) -> Step {
    Step {
        at: Timestamp::from_ms(minute * 60_000),
        label: format!("0:{minute:02}"),
        values: vec![value],
    }
}

fn chart<'a>(title: &'a str, series: &'a [Series<'a>], steps: &'a [Step]) -> Chart<'a> {
    Chart {
        title,
        shape: Shape::Columns,
        series,
        steps,
        step_ms: 60_000,
        write: text::count,
        at_least: 0,
    }
}

#[test]
fn the_top_of_a_chart_is_a_round_figure() {
    for (value, top) in [
        (0, 4),
        (3, 5),
        (7, 10),
        (11, 20),
        (201, 500),
        (1_000, 1_000),
    ] {
        assert_eq!(rounded_up(value), top);
    }
    assert_eq!(rounded_up(u64::MAX), u64::MAX);
}

#[test]
fn a_line_is_broken_where_nothing_was_measured() {
    let steps: Vec<Step> = [Some(1), Some(2), None, None, Some(3)]
        .into_iter()
        .zip(0..)
        .map(|(value, minute)| step(minute, value))
        .collect();
    assert_eq!(runs(&steps, 0), [vec![(0, 1), (1, 2)], vec![(4, 3)]]);
    assert!(runs(&steps, 1).is_empty(), "there is no such series");
}

#[test]
fn every_step_is_said_in_words_with_where_it_lies() {
    let series = [Series {
        word: "completed",
        tone: "t-good",
    }];
    let steps = [step(5, Some(1_200)), step(6, None)];
    let drawn = chart("Tasks", &series, &steps).draw().into_string();
    assert!(drawn.contains("<title>0:05: 1,200 completed</title>"));
    assert!(drawn.contains("<title>0:06: nothing was measured</title>"));
    assert!(drawn.contains("data-begins=\"300000\" data-step=\"60000\""));
}

#[test]
fn a_label_from_outside_cannot_leave_its_place() {
    let series = [Series {
        word: "<b>",
        tone: "t-good",
    }];
    let mut steps = [step(0, Some(1))];
    steps[0].label = "\"<script>".to_owned();
    let drawn = chart("</svg><script>", &series, &steps)
        .draw()
        .into_string();
    assert!(!drawn.contains("<script>") && !drawn.contains("<b>"));
}
