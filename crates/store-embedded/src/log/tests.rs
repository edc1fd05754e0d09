//! The log alone: what a start finds after which kind of end.

use std::path::Path;

use mcpanel_domain::{Namespace, Timestamp, event::Event, event::Kind};
use mcpanel_store::Commit;

use super::{Frame, Log, append_entry, frame::FRAME_ALIGN, frame::FrameView, read_entries};
use crate::error::OpenError;

const SEGMENT: u64 = 8 * FRAME_ALIGN as u64;

/// A log in which frames were written, as (folder, log).
struct Written {
    dir: tempfile::TempDir,
    log: Log,
    next_seq: u64,
}

impl Written {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), SEGMENT, 0, |_| Ok(())).unwrap();
        log.switch().unwrap();
        Self {
            dir,
            log,
            next_seq: 1,
        }
    }

    /// Writes a frame of one event; its message makes the frame `size` bytes long or longer.
    fn append(&mut self, size: usize) {
        let mut event = Event::new(
            Kind::TaskCreated,
            Timestamp::ZERO,
            Namespace::default_namespace(),
        );
        event.message = Some("m".repeat(size));
        let mut bytes = Vec::new();
        append_entry(&Commit::default().with_events([event]), &mut bytes);
        let mut frame = Frame::default();
        frame.begin();
        frame.push(&bytes);
        frame.finish(self.log.next_number(), self.next_seq);
        self.next_seq += 1;
        if !self.log.has_room(frame.bytes().len()) {
            self.log.switch().unwrap();
        }
        self.log.append(frame.bytes()).unwrap();
    }

    fn segment(&self, n: usize) -> std::path::PathBuf {
        self.dir.path().join(format!("commit-{n}.log"))
    }
}

/// The numbers that a start replays.
fn replayed(dir: &Path, settled: u64) -> Result<Vec<u64>, OpenError> {
    let mut numbers = Vec::new();
    let log = Log::open(dir, SEGMENT, settled, |recovered| {
        assert!(read_entries(recovered.frame.body).is_some());
        numbers.push(recovered.frame.number);
        Ok(())
    })?;
    let next = numbers.last().map_or(settled + 1, |last| last + 1);
    assert_eq!(log.next_number(), next);
    Ok(numbers)
}

#[test]
fn a_frame_is_read_back_only_when_every_byte_is_right() {
    let mut frame = Frame::default();
    frame.begin();
    frame.push(b"an entry");
    frame.finish(7, 3);
    let bytes = frame.bytes().to_vec();
    assert_eq!(bytes.len(), FRAME_ALIGN);
    let view = FrameView::read(&bytes).unwrap();
    assert_eq!(
        (view.number, view.first_seq, view.body),
        (7, 3, &b"an entry"[..])
    );
    for at in 0..40 {
        let mut broken = bytes.clone();
        broken[at] ^= 1;
        assert_eq!(FrameView::read(&broken), None, "byte {at}");
    }
    assert_eq!(FrameView::read(&bytes[..39]), None);
}

#[test]
fn frames_are_replayed_in_order_across_both_segments() {
    let mut written = Written::new();
    for _ in 0..12 {
        written.append(10);
    }
    assert_eq!(
        replayed(written.dir.path(), 0).unwrap(),
        (1..=12).collect::<Vec<u64>>()
    );
    assert_eq!(replayed(written.dir.path(), 8).unwrap(), [9, 10, 11, 12]);
    assert!(replayed(written.dir.path(), 12).unwrap().is_empty());
}

#[test]
fn frames_of_an_earlier_turn_are_not_taken_for_new_ones() {
    let mut written = Written::new();
    for _ in 0..19 {
        written.append(10);
    }
    // The first segment holds 17 to 19, and behind them 4 to 8 of its first turn.
    assert_eq!(replayed(written.dir.path(), 16).unwrap(), [17, 18, 19]);
    assert_eq!(
        replayed(written.dir.path(), 8).unwrap(),
        (9..=19).collect::<Vec<u64>>()
    );
}

#[test]
fn a_torn_last_frame_is_passed_over_wherever_it_is_torn() {
    for cut in [0, 1, 31, 32, 33, 4_000, 4_096, 5_000, 8_191] {
        let mut written = Written::new();
        written.append(10);
        written.append(10);
        written.append(6_000);
        let path = written.segment(0);
        let mut bytes = std::fs::read(&path).unwrap();
        let torn = 2 * FRAME_ALIGN + cut;
        let end = bytes.len();
        bytes[torn..].fill(0);
        assert_eq!(bytes.len(), end);
        std::fs::write(&path, &bytes).unwrap();
        let whole = cut >= 32 + 6_000 + 40;
        let expected: &[u64] = if whole { &[1, 2, 3] } else { &[1, 2] };
        assert_eq!(
            replayed(written.dir.path(), 0).unwrap(),
            expected,
            "cut {cut}"
        );
    }
}

#[test]
fn a_hole_before_later_frames_is_damage() {
    let mut written = Written::new();
    for _ in 0..4 {
        written.append(10);
    }
    let path = written.segment(0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[FRAME_ALIGN + 40] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = replayed(written.dir.path(), 0).unwrap_err();
    assert!(
        matches!(&error, OpenError::Damaged { what, .. } if what.contains("flush 2")),
        "{error}"
    );
    // What the tables have already is of no use any more.
    assert!(replayed(written.dir.path(), 4).unwrap().is_empty());
}

#[test]
fn a_missing_segment_is_damage() {
    let mut written = Written::new();
    for _ in 0..12 {
        written.append(10);
    }
    std::fs::remove_file(written.segment(0)).unwrap();
    let error = replayed(written.dir.path(), 0).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_frame_longer_than_a_segment_fits_into_an_empty_one() {
    let mut written = Written::new();
    written.append(10);
    written.append(100_000);
    written.append(10);
    // The short one before it was in the segment that is used again.
    let error = replayed(written.dir.path(), 0).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert_eq!(replayed(written.dir.path(), 1).unwrap(), [2, 3]);
}
