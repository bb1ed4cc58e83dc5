//! What a plan's waves mean before they are begun: how many accounts at a time, how many can fail at worst, how
//! long it takes, and whether somebody must approve. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::model::{
    Approval, ApprovalRules, CANARY, ConcurrencyMode, Delivery, Environment, Gate, HUB,
    RegionConcurrency,
};
use crate::ids::{AccountId, Region};
use crate::resources::Kind;
use crate::resources::scope::Scope;

use super::model::{
    Action, EnvironmentOrder, Estimate, Lock, PlannedGate, PlannedWave, Step, WorstCase,
};
use super::waves::{Wave, Waves, count};

impl Estimate {
    const fn seconds(least: u64, most: u64) -> Self {
        Self { least, most }
    }

    fn times(self, n: usize) -> Self {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            least: self.least.saturating_mul(n),
            most: self.most.saturating_mul(n),
        }
    }

    fn then(self, next: Self) -> Self {
        Self {
            least: self.least.saturating_add(next.least),
            most: self.most.saturating_add(next.most),
        }
    }

    /// Both at the same time.
    fn beside(self, other: Self) -> Self {
        Self {
            least: self.least.max(other.least),
            most: self.most.max(other.most),
        }
    }
}

/// One StackSet operation over as many accounts as it does at a time, in one Region. AWS publishes no figure; small
/// operations took 40 to 85 seconds (acceptance logs of Terraform's provider, observed).
const ROUND: Estimate = Estimate::seconds(40, 85);
/// A StackSet made or moved without instances, or a policy written: one call that is read back (observed).
const CALL: Estimate = Estimate::seconds(1, 3);
/// A logging configuration: read, put, read back; more where a role is so young that Bedrock does not know it yet
/// (practice: seconds).
const PUT: Estimate = Estimate::seconds(2, 15);
/// A stack of some dozen resources; a change set alone takes 5 seconds (example in the CloudFormation User Guide), and
/// streams and keys a minute or two (Firehose documentation).
const STACK: Estimate = Estimate::seconds(60, 300);

/// Fills in what is known of every environment's waves now that the steps are, and says how long all takes.
pub fn forecast(
    scope: &Scope<'_>,
    waves: &BTreeMap<String, Waves>,
    steps: &[Step],
    phases: &[String],
    environments: &mut BTreeMap<String, EnvironmentOrder>,
) -> Estimate {
    let mut durations: BTreeMap<(&str, &str), Estimate> = BTreeMap::new();
    for (name, order) in &mut *environments {
        let (Some(environment), Some(waves)) =
            (scope.rollout.environments.get(name), waves.get(name))
        else {
            continue;
        };
        let own: Vec<&Step> = steps
            .iter()
            .filter(|step| step.environment.as_deref() == Some(name))
            .collect();
        let mut planned: Vec<PlannedWave> = waves
            .waves
            .iter()
            .map(|wave| {
                let of_wave: Vec<&Step> = own
                    .iter()
                    .copied()
                    .filter(|step| step.wave.as_deref() == Some(&wave.name))
                    .collect();
                planned_wave(scope, environment, waves, wave, &of_wave, &own)
            })
            .collect();
        for phase in phases {
            let here: Vec<&Step> = own.iter().copied().filter(|s| s.phase == *phase).collect();
            let before: Vec<&Step> = here
                .iter()
                .copied()
                .filter(|step| step.wave.is_none())
                .collect();
            let mut all = lanes(&before, &environment.delivery);
            let has_steps = |wave: &PlannedWave| {
                here.iter()
                    .any(|step| step.wave.as_deref() == Some(&wave.name))
            };
            let last = planned.iter().rposition(has_steps);
            for (position, wave) in planned.iter_mut().enumerate() {
                let of_wave: Vec<&Step> = here
                    .iter()
                    .copied()
                    .filter(|step| step.wave.as_deref() == Some(&wave.name))
                    .collect();
                let mut time = lanes_of(&of_wave, wave, &environment.delivery);
                if !of_wave.is_empty() && last.is_some_and(|last| position < last) {
                    time = time.then(Estimate::seconds(wave.bake, wave.bake));
                }
                wave.estimate = wave.estimate.then(time);
                all = all.then(time);
            }
            durations.insert((phase.as_str(), environment.name.as_str()), all);
        }
        order.waves = planned;
    }
    let mut total = Estimate::default();
    for phase in phases {
        total = total.then(phase_time(phase, steps, environments, &durations, scope));
    }
    total
}

/// Environments follow each other; what belongs to none goes on beside them.
fn phase_time(
    phase: &str,
    steps: &[Step],
    environments: &BTreeMap<String, EnvironmentOrder>,
    durations: &BTreeMap<(&str, &str), Estimate>,
    scope: &Scope<'_>,
) -> Estimate {
    let free: Vec<&Step> = steps
        .iter()
        .filter(|step| step.phase == phase && step.environment.is_none())
        .collect();
    let no_delivery = scope.rollout.environments.values().next();
    let mut longest = no_delivery.map_or_else(Estimate::default, |environment| {
        lanes(&free, &environment.delivery)
    });
    for (name, order) in environments {
        let chain = order
            .after
            .iter()
            .chain([name])
            .filter_map(|name| durations.get(&(phase, name.as_str())))
            .fold(Estimate::default(), |sum, time| sum.then(*time));
        longest = longest.beside(chain);
    }
    longest
}

fn planned_wave(
    scope: &Scope<'_>,
    environment: &Environment,
    waves: &Waves,
    wave: &Wave,
    steps: &[&Step],
    all: &[&Step],
) -> PlannedWave {
    let delivery = &environment.delivery;
    let mut by_region: BTreeMap<&Region, BTreeSet<&AccountId>> = BTreeMap::new();
    let mut changed: BTreeSet<&AccountId> = BTreeSet::new();
    for step in steps {
        for target in &step.targets {
            by_region
                .entry(&target.region)
                .or_default()
                .insert(&target.account);
            changed.insert(&target.account);
        }
        if let (Some(account), Some(region)) = (&step.account, &step.region) {
            by_region.entry(region).or_default().insert(account);
            changed.insert(account);
        }
    }
    let most = by_region
        .values()
        .map(BTreeSet::len)
        .max()
        .unwrap_or_default();
    let soft = delivery.concurrency_mode == ConcurrencyMode::Soft;
    let max_concurrent = count(wave.max_concurrent, most, 1);
    let failure_tolerance = count(wave.failure_tolerance, most, 0);
    let effective_concurrency = effective(max_concurrent, failure_tolerance, soft);
    let mut planned = PlannedWave {
        name: wave.name.clone(),
        accounts: wave.accounts.iter().cloned().collect(),
        changed: changed.len(),
        regions: by_region.keys().map(|region| (*region).clone()).collect(),
        max_concurrent,
        effective_concurrency,
        failure_tolerance,
        soft,
        worst_case_failures: WorstCase::default(),
        bake: wave.bake.map(|bake| bake.as_secs()).unwrap_or_default(),
        gate: wave
            .gate
            .as_ref()
            .and_then(|gate| planned_gate(scope, waves, gate)),
        approval: wave
            .approval
            .as_ref()
            .filter(|_| !steps.is_empty())
            .and_then(|approval| approval_reason(approval, all)),
        estimate: Estimate::default(),
    };
    planned.worst_case_failures = worst_case(&planned, wave, steps, changed.len(), most, delivery);
    planned
}

/// Strict operations start at the smaller of the two and shrink with every failure.
fn effective(max_concurrent: u32, failure_tolerance: u32, soft: bool) -> u32 {
    if soft {
        max_concurrent
    } else {
        max_concurrent.min(failure_tolerance.saturating_add(1))
    }
}

/// Accounts in the Region in which a step reaches most.
fn width(step: &Step) -> usize {
    let mut by_region: BTreeMap<&Region, usize> = BTreeMap::new();
    for target in &step.targets {
        *by_region.entry(&target.region).or_default() += 1;
    }
    by_region.into_values().max().unwrap_or_default()
}

/// How many accounts can fail in one Region before the wave stops. One operation ends with at most its tolerance
/// and one more (strict) or with all that were in flight on top of it (soft; CloudFormation User Guide, concurrency
/// mode). Operations on different StackSets of a phase run side by side, and each may use its own tolerance up.
fn worst_case(
    planned: &PlannedWave,
    wave: &Wave,
    steps: &[&Step],
    changed: usize,
    most: usize,
    delivery: &Delivery,
) -> WorstCase {
    if changed == 0 {
        return WorstCase::default();
    }
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let worst_of = |accounts: usize| {
        let tolerance = size(count(wave.failure_tolerance, accounts, 0));
        let in_flight = if planned.soft {
            size(count(wave.max_concurrent, accounts, 1))
        } else {
            1
        };
        tolerance.saturating_add(in_flight).min(accounts)
    };
    let mut phases: BTreeMap<&str, BTreeMap<Option<&Lock>, usize>> = BTreeMap::new();
    let mut operations = 0_usize;
    for step in steps {
        let accounts = if step.targets.is_empty() {
            match step.account {
                Some(_) => most,
                None => continue,
            }
        } else {
            width(step)
        };
        let lanes = phases.entry(step.phase.as_str()).or_default();
        // Steps on single accounts share one lane, which keeps to the wave's own amounts.
        operations += usize::from(step.lock.is_some() || !lanes.contains_key(&None));
        let worst = lanes.entry(step.lock.as_ref()).or_default();
        *worst = (*worst).max(worst_of(accounts));
    }
    let side_by_side = phases
        .values()
        .map(|lanes| lanes.values().sum::<usize>())
        .max()
        .unwrap_or_default();
    let tolerance = size(planned.failure_tolerance);
    let per_region = if operations > 1 {
        tolerance.saturating_add(side_by_side)
    } else {
        side_by_side
    }
    .min(most);
    let regions = planned.regions.len();
    let total =
        if delivery.region_concurrency == RegionConcurrency::Sequential && operations == 1 {
            // Regions before the one that ends it keep within the tolerance.
            tolerance
                .saturating_mul(regions.saturating_sub(1))
                .saturating_add(per_region)
        } else {
            per_region.saturating_mul(regions)
        }
        .min(changed);
    WorstCase { per_region, total }
}

fn planned_gate(scope: &Scope<'_>, waves: &Waves, gate: &Gate) -> Option<PlannedGate> {
    Some(match gate {
        Gate::Alarm {
            name,
            place,
            region,
        } => {
            let place = match place {
                Some(place) => place.value.as_str(),
                None if scope.rollout.accounts.contains_key(HUB) => HUB,
                None => CANARY,
            };
            let accounts = if place == CANARY {
                waves.first()?.accounts.iter().cloned().collect()
            } else {
                scope.named(place).cloned().into_iter().collect()
            };
            PlannedGate::Alarm {
                name: name.clone(),
                accounts,
                region: region
                    .clone()
                    .unwrap_or_else(|| scope.rollout.organization.home_region.clone()),
            }
        }
        Gate::Command { program, timeout } => PlannedGate::Command {
            program: program.clone(),
            timeout: timeout.as_secs(),
        },
    })
}

/// Why the plan's content asks for an approval, if it does.
fn approval_reason(approval: &Approval, steps: &[&Step]) -> Option<String> {
    let rules = match approval {
        Approval::Required => return Some("every change needs it".to_owned()),
        Approval::Whenever(rules) => rules,
    };
    let ApprovalRules {
        deletes,
        policies,
        accounts_above,
    } = *rules;
    let mut reasons = Vec::new();
    let deleted = steps
        .iter()
        .filter(|step| step.action == Action::Delete)
        .map(|step| step.targets.len().max(1))
        .sum::<usize>();
    if deletes && deleted > 0 {
        reasons.push(format!("the plan deletes {}", counted(deleted, "target")));
    }
    if policies && steps.iter().any(|step| step.kind == Kind::Policy) {
        reasons.push("the plan changes policies".to_owned());
    }
    let reached = steps
        .iter()
        .flat_map(|step| {
            step.account
                .iter()
                .chain(step.targets.iter().map(|target| &target.account))
        })
        .collect::<BTreeSet<_>>()
        .len();
    if let Some(most) = accounts_above
        && reached > usize::try_from(most).unwrap_or(usize::MAX)
    {
        reasons.push(format!("the plan reaches {reached} accounts, over {most}"));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// Time of the steps of one wave: those of one lock follow each other, others go on beside them.
fn lanes_of(steps: &[&Step], wave: &PlannedWave, delivery: &Delivery) -> Estimate {
    let at_a_time = usize::try_from(wave.effective_concurrency).unwrap_or(usize::MAX);
    time(steps, at_a_time, delivery)
}

/// Time of steps that belong to no wave.
fn lanes(steps: &[&Step], delivery: &Delivery) -> Estimate {
    time(steps, 1, delivery)
}

fn time(steps: &[&Step], at_a_time: usize, delivery: &Delivery) -> Estimate {
    let at_a_time = at_a_time.max(1);
    let mut lanes: BTreeMap<&Lock, Estimate> = BTreeMap::new();
    let mut single: BTreeMap<&Region, usize> = BTreeMap::new();
    let mut beside = Estimate::default();
    for step in steps {
        let takes = match step.kind {
            Kind::StackSet if !step.targets.is_empty() => {
                let regions: BTreeSet<&Region> =
                    step.targets.iter().map(|target| &target.region).collect();
                let rounds = width(step).div_ceil(at_a_time);
                match delivery.region_concurrency {
                    RegionConcurrency::Sequential => ROUND.times(rounds * regions.len()),
                    RegionConcurrency::Parallel => ROUND.times(rounds),
                }
            }
            Kind::StackSet | Kind::Policy | Kind::OrganizationAccess => CALL,
            Kind::Stack => STACK,
            Kind::InvocationLogging => {
                if let Some(region) = &step.region {
                    *single.entry(region).or_default() += 1;
                }
                continue;
            }
        };
        match &step.lock {
            Some(lock) => {
                let lane = lanes.entry(lock).or_default();
                *lane = lane.then(takes);
            }
            None => beside = beside.beside(takes),
        }
    }
    let puts = single.into_values().max().unwrap_or_default();
    lanes
        .into_values()
        .fold(beside, Estimate::beside)
        .beside(PUT.times(puts.div_ceil(at_a_time)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::render::fixtures::{account, step, targets};
    use crate::config::load;
    use crate::config::model::Amount;

    fn delivery(mode: ConcurrencyMode, regions: RegionConcurrency) -> Delivery {
        let loaded = load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml").unwrap();
        let mut delivery = loaded.rollout.environments["prod"].delivery.clone();
        delivery.concurrency_mode = mode;
        delivery.region_concurrency = regions;
        delivery
    }

    fn operation(name: &str, accounts: std::ops::Range<usize>, regions: &[&str]) -> Step {
        let mut step = step(
            &format!("members/{name}/prod"),
            Kind::StackSet,
            Action::Update,
            "update",
        );
        step.lock = Some(Lock::StackSet(name.to_owned()));
        step.reaching(targets(accounts, regions))
    }

    /// What becomes of a wave with these amounts and steps: effective concurrency, worst case per Region and in all.
    fn figures(
        max_concurrent: Amount,
        failure_tolerance: Amount,
        delivery: &Delivery,
        steps: &[Step],
    ) -> (u32, usize, usize) {
        let most = steps.iter().map(width).max().unwrap();
        let wave = Wave {
            name: "rest".to_owned(),
            accounts: BTreeSet::new(),
            max_concurrent,
            failure_tolerance,
            bake: None,
            gate: None,
            approval: None,
        };
        let soft = delivery.concurrency_mode == ConcurrencyMode::Soft;
        let regions: BTreeSet<Region> = steps
            .iter()
            .flat_map(|step| step.targets.iter().map(|target| target.region.clone()))
            .collect();
        let (max, tolerance) = (
            count(max_concurrent, most, 1),
            count(failure_tolerance, most, 0),
        );
        let planned = PlannedWave {
            name: wave.name.clone(),
            accounts: Vec::new(),
            changed: most,
            regions: regions.into_iter().collect(),
            max_concurrent: max,
            effective_concurrency: effective(max, tolerance, soft),
            failure_tolerance: tolerance,
            soft,
            worst_case_failures: WorstCase::default(),
            bake: 0,
            gate: None,
            approval: None,
            estimate: Estimate::default(),
        };
        let steps: Vec<&Step> = steps.iter().collect();
        let worst = worst_case(&planned, &wave, &steps, most, most, delivery);
        (planned.effective_concurrency, worst.per_region, worst.total)
    }

    /// The example of the CloudFormation User Guide: tolerance 5, at most 10 at a time. Strict ends with 6 failed;
    /// soft goes on with those in flight.
    #[test]
    fn strict_and_soft_end_as_documented() {
        use ConcurrencyMode::{Soft, Strict};
        use RegionConcurrency::{Parallel, Sequential};
        let (ten, five) = (Amount::Count(10), Amount::Count(5));
        let one = [operation("a", 0..100, &["us-east-1"])];
        let two = [operation("a", 0..100, &["us-east-1", "eu-west-1"])];
        let small = [operation("a", 0..3, &["us-east-1"])];
        let beside = [
            operation("a", 0..100, &["us-east-1"]),
            operation("b", 0..100, &["us-east-1"]),
        ];
        for (mode, regions, steps, expected) in [
            (Strict, Sequential, &one[..], (6, 6, 6)),
            (Soft, Sequential, &one, (10, 15, 15)),
            (Strict, Sequential, &two, (6, 6, 11)),
            (Strict, Parallel, &two, (6, 6, 12)),
            (Strict, Sequential, &small, (6, 3, 3)),
            // Each of them may use its own tolerance up before the wave's is counted.
            (Strict, Sequential, &beside, (6, 17, 17)),
        ] {
            let delivery = delivery(mode, regions);
            assert_eq!(
                figures(ten, five, &delivery, steps),
                expected,
                "{mode:?} {regions:?} {}",
                steps.len()
            );
        }
        let careful = delivery(Strict, Sequential);
        assert_eq!(
            figures(Amount::Percent(25), Amount::Count(0), &careful, &one),
            (1, 1, 1)
        );
    }

    #[test]
    fn more_at_a_time_takes_less_time_and_regions_add_up() {
        let sequential = delivery(ConcurrencyMode::Strict, RegionConcurrency::Sequential);
        let parallel = delivery(ConcurrencyMode::Strict, RegionConcurrency::Parallel);
        let both = operation("a", 0..100, &["us-east-1", "eu-west-1"]);
        assert_eq!(time(&[&both], 10, &sequential), ROUND.times(20));
        assert_eq!(time(&[&both], 10, &parallel), ROUND.times(10));
        assert_eq!(time(&[&both], 100, &parallel), ROUND);
        let other = operation("b", 0..100, &["us-east-1"]);
        assert_eq!(
            time(&[&both, &other], 10, &sequential),
            ROUND.times(20),
            "StackSets go on side by side"
        );
        assert_eq!(
            time(&[&both, &both], 10, &sequential),
            ROUND.times(40),
            "operations on one of them do not"
        );
    }

    /// `approval: whenever` a rule over the plan's content holds.
    #[test]
    fn rules_ask_for_an_approval_when_they_hold() {
        let rules = |deletes, policies, accounts_above| {
            Approval::Whenever(ApprovalRules {
                deletes,
                policies,
                accounts_above,
            })
        };
        let update = operation("a", 0..51, &["us-east-1"]);
        let mut delete = operation("a", 51..54, &["us-east-1"]);
        delete.action = Action::Delete;
        let policy = step("seal/p/prod", Kind::Policy, Action::Update, "update");
        let mut single = step(
            "logging/l/prod",
            Kind::InvocationLogging,
            Action::Update,
            "change",
        );
        single.account = Some(account(99));
        for (approval, steps, reason) in [
            (
                Approval::Required,
                vec![&update],
                Some("every change needs it"),
            ),
            (rules(true, false, None), vec![&update], None),
            (
                rules(true, false, None),
                vec![&update, &delete],
                Some("the plan deletes 3 targets"),
            ),
            (rules(false, true, None), vec![&update, &delete], None),
            (
                rules(false, true, None),
                vec![&policy],
                Some("the plan changes policies"),
            ),
            (rules(false, false, Some(51)), vec![&update], None),
            (
                rules(false, false, Some(51)),
                vec![&update, &single],
                Some("the plan reaches 52 accounts, over 51"),
            ),
            (
                rules(true, true, Some(0)),
                vec![&delete, &policy],
                Some(
                    "the plan deletes 3 targets; the plan changes policies; the plan reaches 3 accounts, over 0",
                ),
            ),
        ] {
            assert_eq!(approval_reason(&approval, &steps).as_deref(), reason);
        }
    }
}
