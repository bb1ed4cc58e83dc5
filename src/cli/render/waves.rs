//! The waves of a plan as words: who comes when, how carefully, what is waited for, and how long it takes. Text and
//! Markdown are both made from this.

use jiff::SignedDuration;

use crate::plan::model::EnvironmentOrder;
use crate::plan::{Estimate, Plan, PlannedGate, PlannedWave};

use super::words::{Names, counted, duration, folded, listed, number};

/// One environment's way through its waves.
#[derive(Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `prod, after staging: 2 h 10 min to 4 h 05 min`
    pub title: String,
    pub waves: Vec<WaveWords>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct WaveWords {
    pub name: String,
    /// How many accounts, how many at a time, how many can fail.
    pub what: String,
    /// What must be there before it starts.
    pub first: Option<String>,
    /// What must hold before the next one starts.
    pub then: Option<String>,
}

/// The environments in which the plan does something, in the order in which they are reached.
pub fn deliveries(plan: &Plan, names: &Names) -> Vec<Delivery> {
    let mut environments: Vec<(&String, &EnvironmentOrder)> = plan
        .environments
        .iter()
        .filter(|(name, order)| {
            let in_waves = |step: &crate::plan::Step| {
                step.environment.as_ref() == Some(*name) && step.wave.is_some()
            };
            !order.waves.is_empty() && plan.steps.iter().any(in_waves)
        })
        .collect();
    environments.sort_by_key(|(name, order)| (order.after.len(), *name));
    environments
        .into_iter()
        .map(|(name, order)| delivery(name, order, names))
        .collect()
}

fn delivery(name: &str, order: &EnvironmentOrder, names: &Names) -> Delivery {
    let after = match order.after.as_slice() {
        [] => String::new(),
        after => format!(", after {}", listed(after)),
    };
    let whole = order
        .waves
        .iter()
        .fold(Estimate::default(), |sum, wave| Estimate {
            least: sum.least.saturating_add(wave.estimate.least),
            most: sum.most.saturating_add(wave.estimate.most),
        });
    // A wave without changes is still waited for when a later one has some.
    let last = order.waves.iter().rposition(has_work).unwrap_or_default();
    Delivery {
        title: format!("{name}{after}: {}", time(whole)),
        waves: order
            .waves
            .iter()
            .enumerate()
            .map(|(position, wave)| WaveWords {
                name: wave.name.clone(),
                what: what(wave, order, names),
                first: wave
                    .approval
                    .as_ref()
                    .map(|why| format!("somebody approves it ({why})")),
                then: (position < last)
                    .then(|| then(wave, names))
                    .filter(|text| !text.is_empty()),
            })
            .collect(),
    }
}

fn has_work(wave: &PlannedWave) -> bool {
    wave.estimate != Estimate::default()
}

fn what(wave: &PlannedWave, order: &EnvironmentOrder, names: &Names) -> String {
    let accounts = wave.accounts.len();
    if accounts == 0 {
        return "no account".to_owned();
    }
    let who = match (wave.changed, wave.accounts.as_slice()) {
        (0, _) if has_work(wave) => counted(accounts, "account"),
        (0, _) => return format!("nothing changes in {}", counted(accounts, "account")),
        (_, [one]) => names.of(one),
        (changed, _) if changed < accounts => {
            format!("{} of {}", number(changed), counted(accounts, "account"))
        }
        _ if accounts == order.accounts => format!("all {}", counted(accounts, "account")),
        _ => counted(accounts, "account"),
    };
    if wave.changed == 0 {
        return format!("{who}, {}", time(wave.estimate));
    }
    let worst = wave.worst_case_failures;
    let regions = wave.regions.len();
    let fail = match (worst.per_region, regions) {
        (n, 0 | 1) => format!("at worst {} fail", counted(n, "account")),
        (n, _) if n == worst.total => format!("at worst {} fail", counted(n, "account")),
        (n, _) => format!(
            "at worst {} fail in a Region and {} in all",
            counted(n, "account"),
            number(worst.total)
        ),
    };
    let at_a_time = usize::try_from(wave.effective_concurrency).unwrap_or(usize::MAX);
    format!(
        "{who}, {} at a time in each Region, {}, {}",
        number(at_a_time.min(wave.changed)),
        fail.replace("1 account fail", "1 account fails"),
        time(wave.estimate)
    )
}

fn then(wave: &PlannedWave, names: &Names) -> String {
    let mut parts = Vec::new();
    if wave.bake > 0 {
        parts.push(format!("{} of baking", length(wave.bake)));
    }
    parts.extend(wave.gate.as_ref().map(|gate| gate_words(gate, names)));
    parts.join(", then ")
}

/// `alarm errors must be OK in hub (222222222222), us-east-1`
pub fn gate_words(gate: &PlannedGate, names: &Names) -> String {
    match gate {
        PlannedGate::Alarm {
            name,
            accounts,
            region,
        } => {
            let accounts: Vec<String> = accounts.iter().map(|id| names.of(id)).collect();
            let place = match accounts.len() {
                0 => String::new(),
                _ => format!(" in {}", folded(&accounts, 2)),
            };
            format!("alarm {name} must be OK{place}, {region}")
        }
        PlannedGate::Command { program, timeout } => format!(
            "`{}` must succeed within {}",
            program.join(" "),
            length(*timeout)
        ),
    }
}

/// `1 min 20 s to 4 min`, without a precision that nobody has.
pub fn time(estimate: Estimate) -> String {
    let Estimate { least, most } = estimate;
    let (least, most) = (length(least), length(most));
    if least == most {
        least
    } else {
        format!("{least} to {most}")
    }
}

/// Seconds, but for what is longer than two minutes.
fn length(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let rounded = match seconds {
        0..120 => seconds,
        // Up, so that nobody waits longer than was said.
        _ => seconds.saturating_add(59) / 60 * 60,
    };
    let text = duration(SignedDuration::from_secs(rounded));
    text.strip_suffix(" 00 s")
        .or_else(|| text.strip_suffix(" 0 s"))
        .or_else(|| text.strip_suffix(" 00 min"))
        .map(str::to_owned)
        .unwrap_or(text)
}
