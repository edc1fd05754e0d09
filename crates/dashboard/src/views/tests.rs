use super::*;

fn none() -> Views {
    Views::read(List::Tasks, "")
}

#[test]
fn views_read_as_they_were_written() {
    let query = Query::read(Some(
        "status=failed&status=retry&q=a%26b%3D%3B+\"c\"&after=1.x",
    ));
    let views = none().with("Mine & “yours”; \"all\"", &query).unwrap();
    let text = views.write();
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
        "a cookie can hold it: {text}"
    );
    let again = Views::read(List::Tasks, &text);
    assert_eq!(again.write(), text);
    assert_eq!(
        again.kept[0].1.on("/tasks"),
        "/tasks?status=failed&status=retry&q=a%26b%3D%3B+%22c%22"
    );
}

#[test]
fn a_view_with_the_same_name_takes_the_place_of_the_first() {
    let one = none().with("x", &Query::read(Some("q=1"))).unwrap();
    let two = one.with("x", &Query::read(Some("q=2"))).unwrap();
    assert_eq!(two.kept.len(), 1);
    assert_eq!(two.kept[0].1.text("q"), Some("2"));
    assert_eq!(two.without("x").kept.len(), 0);
}

#[test]
fn what_is_no_view_or_too_much_is_refused_in_words() {
    let query = Query::read(Some("q=1"));
    assert!(none().with("", &query).is_err());
    assert!(none().with(&"x".repeat(41), &query).is_err());
    assert!(none().with("x", &Query::read(Some("after=1.x"))).is_err());
    let long = Query::read(Some(&format!("q={}", "x".repeat(VIEWS_BYTES_MAX))));
    assert!(none().with("x", &long).is_err());
    let mut views = none();
    for number in 0..VIEWS_MAX {
        views = views.with(&number.to_string(), &query).unwrap();
    }
    assert!(
        views
            .with("one more", &query)
            .unwrap_err()
            .contains("remove one")
    );
}

#[test]
fn rubbish_in_a_cookie_is_no_view() {
    for text in ["=", "a=", "a=nonsense%3D1", "%00=q%3D1", "&&&", "a=%26%26"] {
        assert!(Views::read(List::Tasks, text).kept.is_empty(), "{text}");
    }
}
