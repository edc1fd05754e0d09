//! Measures the store next to a bare append log, on the disk of the folder named or of the present one.
//!
//! `cargo run --release -p mcpanel-store-embedded --example bench -- [FOLDER] [PRELOADED TASKS] [ROUNDS] [SECONDS] [SEGMENT MB]`

use std::{
    error::Error,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mcpanel_domain::Timestamp;
use mcpanel_store_embedded::bench::{Config, run};

/// As the server has it: commits are allocated on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dir = PathBuf::from(arguments.first().map_or(".", String::as_str));
    let dir = tempfile::tempdir_in(dir)?;
    let mut config = Config::new(dir.path().to_path_buf());
    if let Some(count) = arguments.get(1) {
        config.preloaded = count.parse()?;
    }
    if let Some(rounds) = arguments.get(2) {
        config.rounds = rounds.parse()?;
    }
    if let Some(seconds) = arguments.get(3) {
        config.round = Duration::from_secs(seconds.parse()?);
    }
    if let Some(megabytes) = arguments.get(4) {
        config.segment_bytes = megabytes.parse::<u64>()? << 20;
    }
    let clock = Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since.map_or(0, |since| since.as_millis());
        Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
    });
    println!("{}", run(&config, clock).await?);
    Ok(())
}
