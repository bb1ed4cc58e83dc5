//! Something to look at while an organization is read: a large one takes minutes at AWS's rates.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::options::Common;
use crate::aws::Aws;

/// Shorter waits show nothing.
const PATIENCE: Duration = Duration::from_millis(400);
const TICK: Duration = Duration::from_millis(150);

/// Runs `work`, and on a terminal shows what it is doing and how many calls it has made.
pub async fn show<T>(common: &Common, aws: &Aws, text: &str, work: impl Future<Output = T>) -> T {
    let visible = !common.no_progress && std::io::stderr().is_terminal();
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    let target = if visible {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, target);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                bar.finish_and_clear();
                return done;
            }
            _ = ticks.tick() => {
                let calls: u64 = aws.census().values().sum();
                bar.set_message(format!("{text}, {calls} calls"));
                bar.tick();
            }
        }
    }
}
