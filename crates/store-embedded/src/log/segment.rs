//! The two files that frames are written into, in turns.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::frame::{FRAME_ALIGN, FrameView};
use crate::error::OpenError;

const NAMES: [&str; 2] = ["commit-0.log", "commit-1.log"];

/// A frame read at start.
pub struct Recovered<'a> {
    /// What it holds.
    pub frame: FrameView<'a>,
    /// The file it is in, for error messages.
    pub path: &'a Path,
}

/// The log, open for writing.
pub struct Log {
    dir: PathBuf,
    segment_bytes: u64,
    flush_at_least: Duration,
    files: [Option<File>; 2],
    active: usize,
    /// Where the next frame goes; none before the first [`Log::switch`].
    position: Option<u64>,
    next_number: u64,
}

impl Log {
    /// Opens the log of a folder and hands every frame with a number above `settled` to `replay`, in order.
    ///
    /// A last frame that is not whole was never acknowledged, and is passed over. Anything else that is
    /// missing or unreadable is damage.
    pub fn open(
        dir: &Path,
        segment_bytes: u64,
        settled: u64,
        mut replay: impl FnMut(Recovered<'_>) -> Result<(), OpenError>,
    ) -> Result<Self, OpenError> {
        let mut segments = Vec::new();
        for name in NAMES {
            let path = dir.join(name);
            let bytes = read_whole(&path)?;
            let frames = whole_frames(&bytes, settled, &path)?;
            segments.push((path, bytes, frames));
        }
        segments.sort_by_key(|(_, _, frames)| frames.first().map(|(number, _)| *number));
        let mut next = settled + 1;
        for (path, bytes, frames) in &segments {
            for (number, at) in frames.iter().filter(|(number, _)| *number > settled) {
                if *number != next {
                    return Err(OpenError::Damaged {
                        path: path.clone(),
                        what: format!("flush {next} is missing before flush {number}"),
                    });
                }
                let frame = FrameView::read(&bytes[*at..]).ok_or_else(|| OpenError::Damaged {
                    path: path.clone(),
                    what: format!("flush {number} cannot be read twice"),
                })?;
                replay(Recovered { frame, path })?;
                next += 1;
            }
        }
        Ok(Self {
            dir: dir.to_path_buf(),
            segment_bytes,
            flush_at_least: Duration::ZERO,
            files: [None, None],
            active: 1,
            position: None,
            next_number: next,
        })
    }

    /// The same log on a disk whose flushes take so long at least.
    pub fn flush_at_least(self, flush_at_least: Duration) -> Self {
        Self {
            flush_at_least,
            ..self
        }
    }

    /// The number of the next frame.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Whether a frame of so many bytes fits into the present segment. An empty one takes a
    /// frame of any size.
    pub fn has_room(&self, length: usize) -> bool {
        self.position
            .is_some_and(|at| at == 0 || at + length as u64 <= self.segment_bytes)
    }

    /// Goes on at the beginning of the other segment, whose frames must all be in the tables.
    pub fn switch(&mut self) -> io::Result<()> {
        let other = 1 - self.active;
        if self.files[other].is_none() {
            let path = self.dir.join(NAMES[other]);
            self.files[other] = Some(prepare(&path, self.segment_bytes)?);
            sync_dir(&self.dir)?;
        }
        self.active = other;
        self.position = Some(0);
        Ok(())
    }

    /// Writes a finished frame and flushes it.
    pub fn append(&mut self, frame: &[u8]) -> Result<(), AppendError> {
        let at = self.position.unwrap_or(0);
        let file = self.files[self.active]
            .as_mut()
            .ok_or_else(|| AppendError::Write(io::Error::other("no segment is open")))?;
        let written = file
            .seek(SeekFrom::Start(at))
            .and_then(|_| file.write_all(frame));
        if let Err(error) = written {
            erase(file, at);
            return Err(AppendError::Write(error));
        }
        if let Err(error) = flush(file, self.flush_at_least) {
            // What is on the disk is unknown now. The frame was not acknowledged: take it back as well as we can.
            erase(file, at);
            return Err(AppendError::Flush(error));
        }
        self.position = Some(at + frame.len() as u64);
        self.next_number += 1;
        Ok(())
    }
}

#[cfg(test)]
impl Log {
    /// Goes on in a file that takes what is written, and of which nobody knows whether it has it.
    pub fn lose_flushes(&mut self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open("/dev/null")?;
        self.files[self.active] = Some(file);
        Ok(())
    }
}

/// Why a frame is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It could not be written; trying again at the same place is safe.
    #[error("writing the commit log failed: {0}")]
    Write(io::Error),
    /// It could not be flushed. The system may have dropped earlier pages of the file while
    /// reporting this only once, so nothing may be written until a start has read what is there.
    #[error("flushing the commit log failed: {0}")]
    Flush(io::Error),
}

/// Flushes what was written into a file, and takes at least so long.
pub fn flush(file: &File, at_least: Duration) -> io::Result<()> {
    let begun = Instant::now();
    file.sync_data()?;
    thread::sleep(at_least.saturating_sub(begun.elapsed()));
    Ok(())
}

/// Makes the header at `at` unreadable. A failure changes nothing: the frame was not acknowledged,
/// and a start that finds it whole may take it in.
fn erase(file: &mut File, at: u64) {
    let zeros = [0_u8; super::frame::HEADER_BYTES];
    let _ = file
        .seek(SeekFrom::Start(at))
        .and_then(|_| file.write_all(&zeros))
        .and_then(|()| file.sync_data());
}

fn read_whole(path: &Path) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(OpenError::Io {
            action: "read",
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// The frames from the beginning of a segment on, as (number, offset).
fn whole_frames(bytes: &[u8], settled: u64, path: &Path) -> Result<Vec<(u64, usize)>, OpenError> {
    let mut frames: Vec<(u64, usize)> = Vec::new();
    let mut at = 0;
    while let Some(frame) = bytes.get(at..).and_then(FrameView::read) {
        if frames
            .last()
            .is_some_and(|(last, _)| frame.number != last + 1)
        {
            break;
        }
        frames.push((frame.number, at));
        at += frame.stride();
    }
    // Whatever follows is older than what came before, unless something in between was lost.
    let newest = frames.last().map_or(0, |(last, _)| *last);
    let harmless = newest.max(settled);
    let mut later = at;
    while let Some(rest) = bytes.get(later..) {
        match FrameView::read(rest) {
            Some(frame) if frame.number > harmless => {
                return Err(OpenError::Damaged {
                    path: path.to_path_buf(),
                    what: format!(
                        "flush {} at byte {at} cannot be read, yet flush {} after it can",
                        newest + 1,
                        frame.number
                    ),
                });
            }
            _ => later += FRAME_ALIGN,
        }
    }
    Ok(frames)
}

/// Opens a segment, making it as long as it will be: later writes then change no file size, and a flush
/// need not write the file system's journal.
fn prepare(path: &Path, length: u64) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let mut present = file.metadata()?.len();
    file.seek(SeekFrom::End(0))?;
    let zeros = vec![0_u8; 1 << 20];
    while present < length {
        let missing = usize::try_from(length - present).unwrap_or(usize::MAX);
        let step = missing.min(zeros.len());
        file.write_all(&zeros[..step])?;
        present += step as u64;
    }
    file.sync_all()?;
    Ok(file)
}

/// Makes a new file's name durable.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}
