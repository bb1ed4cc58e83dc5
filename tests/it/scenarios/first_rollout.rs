//! Good days: the first rollout, the second one that has nothing to do, and plans that are the same bytes
//! however AWS cuts its answers.

use super::stage::{MEMBERS, REGIONS, Stage};

const GROUP: &str = "/aws/bedrock/model-invocation-logs";

/// What every member holds in the Region; what IAM and Budgets have once stands in the first Region alone.
fn members_components(region: &str) -> &'static [&'static str] {
    match region {
        "us-east-1" => &[
            "deployer-role",
            "invocation-logging",
            "guardrail",
            "alarms",
            "metrics-link",
            "budget",
        ],
        _ => &["invocation-logging", "guardrail", "alarms", "metrics-link"],
    }
}

#[tokio::test(start_paused = true)]
async fn every_account_and_region_gets_all_of_it_and_a_second_run_writes_nothing() {
    let stage = Stage::shipped();
    stage.apply().await.converged();

    for (at, name) in MEMBERS.iter().enumerate() {
        let account = stage.account(name);
        let days = match at {
            0..=2 => 30,
            3..=4 => 180,
            _ => 2557,
        };
        for region in REGIONS {
            let whole = format!("{name} in {region}");
            let broken: Vec<_> = account
                .stacks(region)
                .into_iter()
                .filter(|(_, status)| status != "CREATE_COMPLETE")
                .collect();
            assert!(broken.is_empty(), "{whole}: {broken:?}");
            let stacks = account.stacks(region);
            for component in members_components(region) {
                assert!(
                    stacks.iter().any(|(stack, _)| stack.contains(component)),
                    "{whole} has no {component}: {stacks:?}"
                );
            }
            assert_eq!(
                account.log_group_retention(region, GROUP),
                Some(days),
                "{whole}"
            );

            let alias = format!("alias/bedrail-bedrock-{region}");
            let key = account.holds(region, |regional| {
                let alias = regional.kms.aliases.get(&alias)?;
                regional.kms.keys.get(&alias.target).cloned()
            });
            let key = key
                .flatten()
                .unwrap_or_else(|| panic!("{whole} has no key {alias}"));
            assert_eq!(
                (key.state.as_str(), key.rotation),
                ("Enabled", Some(365)),
                "{whole}"
            );

            let bucket = format!("logs-model-invocation-{}-{region}", account.id());
            let owner = stage.look(|world| world.s3.buckets.get(&bucket).map(|b| b.owner.clone()));
            assert_eq!(owner.as_ref(), Some(&account.id), "{whole}");

            let logging = account
                .logging(region)
                .unwrap_or_else(|| panic!("{whole} logs nothing"));
            assert_eq!(logging["s3Config"]["bucketName"], bucket, "{whole}");
            assert_eq!(
                logging["cloudWatchConfig"]["logGroupName"], GROUP,
                "{whole}"
            );
            for data in ["text", "image", "embedding", "video", "audio"] {
                assert_eq!(
                    logging[format!("{data}DataDeliveryEnabled")],
                    true,
                    "{whole}: {data}"
                );
            }
        }
    }
    for name in ["network", "break-glass", "dev-retired"] {
        for region in REGIONS {
            let account = stage.account(name);
            assert_eq!(account.stacks(region), [], "nobody asked for {name}");
            assert_eq!(account.logging(region), None);
        }
    }
    assert_eq!(
        stage.account("ai-operations").logging("us-east-1"),
        None,
        "declared off"
    );

    let again = stage.apply().await;
    again.converged();
    assert!(again.plan.is_empty(), "{:?}", again.step_ids());
    assert_eq!(again.writes(), Vec::<String>::new());
}

/// S24: pages of any size, and pages with nothing on them, make the same plan.
#[tokio::test(start_paused = true)]
async fn plans_are_the_same_bytes_however_answers_are_cut_into_pages() {
    for stage in [Stage::shipped(), Stage::rolled_out()] {
        stage.project.replace(
            "environments/prod.yaml",
            "LogRetentionDays: 2557\n  Ob",
            "LogRetentionDays: 3653\n  Ob",
        );
        let wanted = stage.plan().await;
        assert!(!wanted.is_empty());
        let bytes = serde_json::to_string(&wanted).unwrap();
        for (size, empty) in [(Some(1), false), (Some(3), true), (Some(20), false)] {
            stage.change(|world| {
                world.settings.page_size_cap = size;
                world.settings.empty_first_pages = empty;
            });
            let plan = stage.plan().await;
            assert_eq!(plan.digest, wanted.digest, "pages of {size:?}");
            assert_eq!(serde_json::to_string(&plan).unwrap(), bytes);
        }
        // S22: none of this changed anything.
        assert_eq!(stage.writes(), Vec::<String>::new());
    }
}

/// The order in which accounts stand in the organization is nobody's business.
#[tokio::test(start_paused = true)]
async fn an_empty_page_before_a_full_one_hides_no_account() {
    let stage = Stage::shipped();
    stage.change(|world| {
        world.settings.page_size_cap = Some(2);
        world.settings.empty_first_pages = true;
    });
    stage.apply().await.converged();
    for name in MEMBERS {
        assert!(stage.account(name).logging("us-east-1").is_some(), "{name}");
    }
}

/// A suspended account is left out, and the plan says so.
#[tokio::test(start_paused = true)]
async fn a_suspended_account_is_left_out_with_a_word() {
    let stage = Stage::shipped();
    let plan = stage.plan().await;
    let retired = stage.account("dev-retired");
    let note = plan
        .notes
        .iter()
        .find(|note| {
            note.account
                .as_ref()
                .is_some_and(|id| id.as_str() == retired.id())
        })
        .expect("the plan speaks of it");
    assert_eq!(note.text, "dev-retired is suspended");
    let reached = plan
        .steps
        .iter()
        .flat_map(|step| step.targets.iter().map(|t| &t.account).chain(&step.account))
        .any(|id| id.as_str() == retired.id());
    assert!(!reached);
}
