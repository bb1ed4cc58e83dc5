//! Dealing out accounts: everybody once, nobody by chance, the same whatever order they come in.

use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::config::load;

fn account(n: usize) -> AccountId {
    format!("{:012}", 100_000_000_000 + n).parse().unwrap()
}

fn accounts(n: usize) -> Vec<AccountId> {
    (0..n).map(account).collect()
}

/// An environment with these waves.
fn environment(sizes: &[(&str, WaveSize)]) -> Environment {
    static PROD: OnceLock<Environment> = OnceLock::new();
    let prod = PROD.get_or_init(|| {
        let loaded = load(Path::new(env!("CARGO_MANIFEST_DIR")), "rollout.yaml").unwrap();
        loaded.rollout.environments["prod"].clone()
    });
    let mut environment = prod.clone();
    environment.delivery.waves = sizes
        .iter()
        .map(|(name, size)| model::Wave {
            name: (*name).to_owned(),
            size: size.clone(),
            max_concurrent: None,
            failure_tolerance: None,
            bake: None,
            gate: None,
            approval: None,
        })
        .collect();
    environment
}

fn untagged(accounts: &[AccountId]) -> Vec<Member<'_>> {
    accounts
        .iter()
        .map(|account| Member {
            account,
            tags: None,
        })
        .collect()
}

fn dealt(sizes: &[(&str, WaveSize)], accounts: &[AccountId]) -> Waves {
    assign(&environment(sizes), &untagged(accounts), false, None)
}

fn counts(waves: &Waves) -> Vec<usize> {
    waves.waves.iter().map(|wave| wave.accounts.len()).collect()
}

const ALL_OF_THEM: WaveSize = WaveSize::Percent(100);

/// "By count, percent or selector, growing": percentages count everybody reached so far, rounded up.
#[test]
fn waves_are_as_large_as_declared() {
    use WaveSize::{Accounts, Percent};
    for (sizes, members, expected) in [
        (
            vec![Accounts(2), Percent(25), ALL_OF_THEM],
            300,
            vec![2, 73, 225],
        ),
        (
            vec![Accounts(1), Percent(25), ALL_OF_THEM],
            4,
            vec![1, 0, 3],
        ),
        (vec![Percent(1), Percent(50), ALL_OF_THEM], 5, vec![1, 2, 2]),
        (vec![Accounts(5), ALL_OF_THEM], 3, vec![3, 0]),
        (vec![Percent(10), ALL_OF_THEM], 0, vec![0, 0]),
        (vec![ALL_OF_THEM], 7, vec![7]),
    ] {
        let names = ["a", "b", "c"];
        let sizes: Vec<(&str, WaveSize)> = names.into_iter().zip(sizes).collect();
        assert_eq!(
            counts(&dealt(&sizes, &accounts(members))),
            expected,
            "{sizes:?}"
        );
    }
}

#[test]
fn who_is_named_comes_with_the_wave_that_names_them() {
    let all = accounts(40);
    let late = BTreeSet::from([account(3), account(4)]);
    let sizes = [
        ("canary", WaveSize::Accounts(30)),
        ("late", WaveSize::Named(late.clone())),
        ("rest", ALL_OF_THEM),
    ];
    let waves = dealt(&sizes, &all);
    assert_eq!(counts(&waves), [30, 2, 8]);
    assert_eq!(waves.waves[1].accounts, late);
    let canary = BTreeMap::from([("canary".to_owned(), "yes".to_owned())]);
    let members: Vec<Member<'_>> = all
        .iter()
        .enumerate()
        .map(|(n, account)| Member {
            account,
            tags: (n % 10 == 0).then_some(&canary),
        })
        .collect();
    let sizes = [
        ("canary", WaveSize::Tags(canary.clone())),
        ("rest", ALL_OF_THEM),
    ];
    let waves = assign(&environment(&sizes), &members, false, None);
    assert_eq!(waves.waves[0].accounts, [0, 10, 20, 30].map(account).into());
}

#[test]
fn a_first_installation_goes_at_once_where_the_environment_says_so() {
    let sizes = [("canary", WaveSize::Accounts(1)), ("rest", ALL_OF_THEM)];
    let mut environment = environment(&sizes);
    let all = accounts(5);
    for (how, first, expected) in [
        (FirstInstallation::AllAtOnce, true, vec![5]),
        (FirstInstallation::AllAtOnce, false, vec![1, 4]),
        (FirstInstallation::Waves, true, vec![1, 4]),
    ] {
        environment.delivery.first_installation = how;
        let waves = assign(&environment, &untagged(&all), first, None);
        assert_eq!(counts(&waves), expected, "{how:?} {first}");
        assert!(waves.waves.len() > 1 || waves.waves[0].gate.is_none());
    }
}

/// S10: while a rollout is open everybody stays where they are, and who arrives joins the last wave.
#[test]
fn an_open_rollout_keeps_its_waves() {
    let sizes = [
        ("canary", WaveSize::Accounts(2)),
        ("half", WaveSize::Percent(50)),
        ("rest", ALL_OF_THEM),
    ];
    let environment = environment(&sizes);
    let before = accounts(10);
    let first = assign(&environment, &untagged(&before), false, None);
    let assigned: BTreeMap<AccountId, String> = first
        .waves
        .iter()
        .flat_map(|wave| {
            wave.accounts
                .iter()
                .map(|account| (account.clone(), wave.name.clone()))
        })
        .collect();
    let after = accounts(100);
    let second = assign(&environment, &untagged(&after), false, Some(&assigned));
    for (old, new) in first.waves.iter().zip(&second.waves).take(2) {
        assert_eq!(old.accounts, new.accounts);
    }
    assert_eq!(counts(&second), [2, 3, 95]);
    let renamed: BTreeMap<AccountId, String> = assigned
        .into_keys()
        .map(|account| (account, "all".to_owned()))
        .collect();
    let third = assign(&environment, &untagged(&after), false, Some(&renamed));
    assert_eq!(counts(&third), [2, 48, 50], "other waves, dealt out anew");
}

#[test]
fn nobody_is_the_canary_because_of_their_number() {
    let first = |n: usize| {
        let sizes = [("canary", WaveSize::Accounts(1)), ("rest", ALL_OF_THEM)];
        dealt(&sizes, &accounts(n)).waves[0].accounts.clone()
    };
    assert_ne!(first(50), [account(0)].into());
    assert_ne!(first(50), [account(49)].into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// S24: a partition that does not depend on the order, and that a new account hardly disturbs.
    #[test]
    fn every_account_is_in_one_wave_whatever_the_order(
        numbers in prop::collection::btree_set(0..10_000_usize, 1..80),
        seed in any::<u64>(),
        count in 1..20_u32,
        percent in 1..100_u8,
    ) {
        let sizes = [
            ("canary", WaveSize::Accounts(count)),
            ("part", WaveSize::Percent(percent)),
            ("rest", ALL_OF_THEM),
        ];
        let sorted: Vec<AccountId> = numbers.iter().copied().map(account).collect();
        let mut shuffled = sorted.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let waves = dealt(&sizes, &sorted);
        prop_assert_eq!(&waves, &dealt(&sizes, &shuffled));
        let all: Vec<&AccountId> = waves.waves.iter().flat_map(|wave| &wave.accounts).collect();
        prop_assert_eq!(all.len(), sorted.len());
        for account in &sorted {
            let wave = waves.of(account).unwrap();
            prop_assert!(wave.accounts.contains(account));
        }
        let mut more = sorted.clone();
        more.push(account(20_000));
        let grown = dealt(&sizes, &more);
        let moved = waves.waves[0]
            .accounts
            .difference(&grown.waves[0].accounts)
            .count();
        prop_assert!(moved <= 1, "{moved} canaries changed");
    }
}
