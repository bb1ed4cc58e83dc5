//! A CloudWatch alarm as a gate: OK passes, ALARM fails, anything else is not known.

use crate::aws::cloudwatch::AlarmState;
use crate::aws::{Aws, Place};
use crate::ids::{AccountId, Region};

use super::Seen;

/// Reads the alarm in each of the accounts. One that is in alarm outweighs any that could not be read.
pub async fn look(aws: &Aws, name: &str, accounts: &[AccountId], region: &Region) -> Seen {
    let mut unknown = Vec::new();
    if accounts.is_empty() {
        return Seen::Unknown(format!("there is no account to look for alarm {name} in"));
    }
    for account in accounts {
        let place = Place::new(account, region);
        let at = format!("alarm {name} in {account} ({region})");
        match aws.alarm_state(&place, name).await {
            Ok(Some((AlarmState::Ok, _))) => {}
            Ok(Some((AlarmState::Alarm, reason))) => {
                return Seen::Bad(format!("{at} is in ALARM: {reason}"));
            }
            Ok(Some((AlarmState::InsufficientData, reason))) => {
                unknown.push(format!("{at} has not enough data: {reason}"));
            }
            Ok(Some((AlarmState::Unknown(state), _))) => {
                unknown.push(format!("{at} is in a state that is not known: {state}"));
            }
            Ok(None) => unknown.push(format!("{at} does not exist")),
            Err(error) => unknown.push(format!(
                "{at} could not be read: {}: {}",
                error.code, error.message
            )),
        }
    }
    match unknown.into_iter().next() {
        Some(first) => Seen::Unknown(first),
        None => Seen::Good(format!("alarm {name} is OK")),
    }
}
