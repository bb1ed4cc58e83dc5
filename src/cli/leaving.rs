//! What `destroy` and `offboard` have in common: the plan is shown, confirmed, run, and what is left is read back.

use super::exit::Exit;
use super::options::{Common, Format};
use super::plan as plan_command;
use super::render::{plan_text, streams};
use super::running::{self, Driving};
use super::session::{Session, Stop};
use super::{apply, waiting};
use crate::journal::entry::Command;
use crate::onboard::earlier;
use crate::plan::teardown::Removal;
use crate::plan::{Note, NoteKind, Plan};
use crate::runs::Records;

/// What is taken out, in words.
#[derive(Debug)]
pub struct Leaving<'a> {
    pub command: Command,
    pub driving: Driving,
    pub removal: Removal,
    /// `rollout bedrock-governance`, `account 555555555555 (prod-1)`.
    pub what: String,
    /// What was typed before anything is read, where nobody is asked.
    pub confirmed: bool,
    /// What must be typed, and the question for it.
    pub word: &'a str,
}

/// Takes out, and says what is left. Nothing is recorded and nothing is called where nothing is left.
pub async fn take_out(
    common: &Common,
    session: &Session,
    records: &Records,
    mut leaving: Leaving<'_>,
) -> Result<Exit, Stop> {
    if let Err(error) = records.nobody_at_work().await {
        return Ok(running::refuse(common, records, &error.into()).await);
    }
    leaving.removal.earlier = match earlier::logging(records).await {
        Ok(earlier) => earlier,
        Err(trouble) => return Ok(running::refuse(common, records, &trouble).await),
    };
    let plan = plan(common, session, &leaving.removal).await?;
    if plan.is_empty() {
        say_left(common, &leaving, &plan);
        return Ok(exit_of_rest(&plan));
    }
    if common.format == Format::Text {
        plan_command::show(&plan, common)?;
    }
    if !leaving.confirmed {
        let question = format!(
            "This takes {} out of organization {}. Type {} to go on: ",
            leaving.what, plan.organization, leaving.word
        );
        if apply::ask(&question).as_deref() != Some(leaving.word) {
            streams::notice("nothing was changed");
            return Ok(Exit::Error);
        }
    }
    let names = plan.account_names.clone();
    let stays: Vec<Note> = plan
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Advice)
        .cloned()
        .collect();
    let exit = apply::begin(
        common,
        leaving.driving,
        session,
        records,
        leaving.command,
        plan,
    )
    .await;
    if exit != Exit::Done {
        return Ok(exit);
    }
    // What was read back decides, not what the steps said.
    let mut rest = self::plan(common, session, &leaving.removal).await?;
    // What a stack kept cannot be seen any more when the stack is gone.
    rest.notes.extend(stays);
    rest.notes.sort();
    rest.notes.dedup();
    rest.account_names.extend(names);
    say_left(common, &leaving, &rest);
    Ok(exit_of_rest(&rest))
}

async fn plan(common: &Common, session: &Session, removal: &Removal) -> Result<Plan, Stop> {
    let reading = session.teardown(removal.clone());
    Ok(waiting::show(common, &session.aws, "reading what is live", reading).await?)
}

fn is_blocked(plan: &Plan) -> bool {
    plan.notes
        .iter()
        .any(|note| matches!(note.kind, NoteKind::Blocked | NoteKind::Unknown))
}

fn exit_of_rest(rest: &Plan) -> Exit {
    if rest.is_empty() && !is_blocked(rest) {
        Exit::Done
    } else {
        Exit::Partial
    }
}

fn say_left(common: &Common, leaving: &Leaving<'_>, rest: &Plan) {
    let text = if !rest.is_empty() {
        format!(
            "{} is not out yet: see what is left above, and run the same again",
            leaving.what
        )
    } else if is_blocked(rest) {
        format!(
            "nothing more of {} can be taken out; what is left is named with the way to end it",
            leaving.what
        )
    } else {
        format!("nothing of {} is left, read back from AWS", leaving.what)
    };
    match common.format {
        Format::Text | Format::Markdown => {
            if !rest.notes.is_empty() || !rest.is_empty() {
                // Whoever cleans up by hand needs every id.
                let options = plan_text::Options {
                    verbose: true,
                    ..plan_command::text_options(common)
                };
                streams::result(&plan_text::plan_text(rest, options));
            }
            streams::result_line(&text);
        }
        // The events are the result.
        Format::Json => streams::notice(&text),
    }
}
