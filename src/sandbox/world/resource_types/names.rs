//! Physical names that CloudFormation makes up: `STACK-LOGICALID-RANDOM`.

use super::Owner;
use crate::sandbox::world::World;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const RANDOM: usize = 12;

/// A name of at most `most` characters; the stack's name and the logical id are cut to fit.
pub fn generated(world: &mut World, owner: &Owner, most: usize) -> String {
    let random = world.ids.text(RANDOM, LETTERS);
    let room = most.saturating_sub(RANDOM + 2);
    let logical: String = owner.logical_id.chars().take(room / 2).collect();
    let stack: String = owner
        .stack_name
        .chars()
        .take(room.saturating_sub(logical.chars().count()))
        .collect();
    format!("{stack}-{logical}-{random}")
}

/// The same in lower case, as buckets need it.
pub fn generated_lower(world: &mut World, owner: &Owner, most: usize) -> String {
    generated(world, owner, most).to_lowercase()
}
