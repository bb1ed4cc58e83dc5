//! S26: wherever a process dies, after going on everything is as if it had not, and nothing was started twice.

use std::num::NonZero;

use crate::simulation::draw::Start;
use crate::simulation::sweep;

#[test]
fn a_crash_at_any_call_and_at_any_write_of_the_journal_changes_nothing_in_the_end() {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let (died, broken) = sweep::whole(Start::Nothing, threads).unwrap();
    assert!(died > 200, "{died} points");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
