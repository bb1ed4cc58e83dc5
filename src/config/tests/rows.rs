&[
    // Shape.
    (("rollout.yaml", "homeRegion", "homeregion"), &[
        "E0202 rollout.yaml:4:3: `organization` has no `homeRegion` (add `homeRegion:`: Where StackSets and the hub live.)",
        "E0201 rollout.yaml:5:3: `organization` has no key `homeregion` (did you mean `homeRegion`?)",
    ]),
    (("rollout.yaml", "version: 1", "version: 2"), &[
        "E0207 rollout.yaml:1:10: `2` is not possible here (write 1)",
    ]),
    (("rollout.yaml", "name: demo", "name: Demo_1"), &[
        "E0205 rollout.yaml:2:7: `Demo_1` does not have the right form (write lower-case letters, digits and hyphens, at most 40, a letter first)",
    ]),
    (("rollout.yaml", "\"222222222222\"", "222222222222"), &[
        "E0206 rollout.yaml:7:14: the account id 222222222222 is not in quotes, so YAML reads it as a number (put it in quotes: \"222222222222\")",
    ]),
    (("rollout.yaml", "[\"999999999999\"]", "[099999999999]"), &[
        "E0206 rollout.yaml:9:14: the account id 099999999999 is not in quotes, so YAML reads it as a number (put it in quotes: \"099999999999\")",
    ]),
    (("rollout.yaml", "[\"999999999999\"]", "\"999999999999\""), &[
        "E0203 rollout.yaml:9:13: `accounts` must be a list, not text (write it as a list: [\"999999999999\"])",
    ]),
    (("rollout.yaml", "{ id: \"222222222222\" }", "{ id: \"222222222222\", name: x }"), &[
        "E0207 rollout.yaml:7:8: `hub` must have exactly one key (give one of: id, name, tag)",
    ]),
    (("rollout.yaml", "kind: stack\n", "kind: stacks\n"), &[
        "E0204 rollout.yaml:23:15: `stacks` is no kind of a component (did you mean `stack`?)",
    ]),
    (("rollout.yaml", "- kind: stack\n        name", "- name"), &[
        "E0202 rollout.yaml:23:9: an entry of `components` has no `kind` (add `kind:` with one of: organizationAccess, stack, stackSet, policy, invocationLogging, tenantAccess)",
    ]),
    (("rollout.yaml", "SERVICE_CONTROL_POLICY]", "SERVICE_CONTROL_POLICIES]"), &[
        "E0204 rollout.yaml:14:65: `SERVICE_CONTROL_POLICIES` is not allowed here (did you mean `SERVICE_CONTROL_POLICY`?)",
    ]),
    (("rollout.yaml", "template: templates/hub.yaml", "template: templates/hub.yaml\n        terminationProtection: yes"), &[
        "E0203 rollout.yaml:27:32: `terminationProtection` must be true or false, not text (write true, without quotes)",
    ]),
    (("rollout.yaml", "name: central\n", "name: central\n        name: central\n"), &[
        "E0110 rollout.yaml:25:9: the key `name` is written twice in the same map (it stands in line 24, column 9 already; remove one of the two)",
    ]),
    (("environments/prod.yaml", "\"555555555555\"", "555555555555"), &[
        "E0206 environments/prod.yaml:13:3: the account id 555555555555 is not in quotes, so YAML reads it as a number (put it in quotes: \"555555555555\")",
    ]),
    (("environments/prod.yaml", "\"555555555555\"", "\"5555\""), &[
        "E0205 environments/prod.yaml:13:3: the key `5555` does not have the right form (write an account id: twelve digits in quotes)",
    ]),
    (("environments/prod.yaml", "maxConcurrent: 25%", "maxConcurrent: 250%"), &[
        "E0205 environments/prod.yaml:21:18: `250%` does not have the right form (write a percentage such as 25%)",
    ]),
    (("environments/prod.yaml", "bake: 30m", "bake: half an hour"), &[
        "E0205 environments/prod.yaml:19:42: `half an hour` does not have the right form (write a duration such as 30m, 1h30m or 2d)",
    ]),
    (("environments/prod.yaml", "approval: required", "approval: maybe"), &[
        "E0204 environments/prod.yaml:20:45: `maybe` is not allowed here (known here: required)",
    ]),
    (("environments/dev.yaml", "extends: base", "extends: base\nparameters:\ntags:\ncomponents:"), &[]),
    (("rollout.yaml", "phases:", "phases:\n  - name: empty\n    components:"), &[]),
    (("environments/dev.yaml", "extends: base", "extends: base\nregions:"), &[
        "E0203 environments/dev.yaml:3:8: `regions` must be a list, not nothing (remove the key, or write [] for an empty list)",
    ]),
    (("environments/dev.yaml", "extends: base", "extends: base\nparameters: { Days: 123456789012 }"), &[
        "E0206 environments/dev.yaml:3:21: the account id 123456789012 is not in quotes, so YAML reads it as a number (put it in quotes: \"123456789012\")",
        "E0504 environments/dev.yaml:3:21: the value of `Days` is not allowed: `123456789012` is not among 7, 30, 365 (the parameter is declared in templates/member.yaml line 3)",
    ]),
    (("environments/dev.yaml", "extends: base", "extends: base\nparameters: { Days: &a 30 }"), &[
        "E0108 environments/dev.yaml:3:21: YAML anchors are not read (remove the anchor (`&name`) and write the value out where it is needed)",
    ]),
    (("environments/dev.yaml", "environment: dev\n", "environment: dev\n\tbad"), &[
        "E0106 environments/dev.yaml:1:14: this is not well-formed YAML: while scanning a plain scalar, found a tab (look at this line and the one before it: indentation, quotes, brackets)",
    ]),
    // Environments.
    (("environments/dev.yaml", "extends: base", "extends: bass"), &[
        "E0301 environments/dev.yaml:2:10: `extends: bass` finds no file environments/bass.yaml (did you mean `base`?)",
    ]),
    (("environments/base.yaml", "regions:", "extends: dev\nregions:"), &[
        "E0302 environments/base.yaml:1:10: environments extend each other in a circle: dev → base → dev (remove one `extends`, or move what is shared into a file that extends nothing)",
    ]),
    (("environments/dev.yaml", "organizationalUnits: [Workloads/Dev]", "organizationalUnits: []"), &[
        "E0303 environments/dev.yaml:4:3: no account can belong to the environment `dev`: it has no targets (give targets: organizationalUnits, accounts or tags)",
    ]),
    (("environments/dev.yaml", "organizationalUnits: [Workloads/Dev]", "organizationalUnits: [Workloads/Prod]"), &[
        "E0310 environments/prod.yaml:4:25: the organizational unit `Workloads/Prod` belongs to the environments `dev` and `prod` (an account has one environment; it is claimed at environments/dev.yaml:4:25 already)",
    ]),
    (("environments/dev.yaml", "[Workloads/Dev]", "[Security/BreakGlass/Inner]"), &[
        "E0309 environments/dev.yaml:4:25: the organizational unit `Security/BreakGlass/Inner` is a target and protected as well (protected accounts are never touched; remove it here or from `protected` in the rollout file)",
    ]),
    (("environments/dev.yaml", "[Workloads/Dev]", "[/]"), &[
        "E0303 environments/dev.yaml:4:3: no account can belong to the environment `dev`: it has no targets (give targets: organizationalUnits, accounts or tags)",
        "E0205 environments/dev.yaml:4:25: `/` is no path of an organizational unit (write names separated by slashes, such as Workloads/Prod; the root itself is no unit)",
    ]),
    (("environments/dev.yaml", "organizationalUnits: [Workloads/Dev]", "accounts: [\"999999999999\"]"), &[
        "E0309 environments/dev.yaml:4:14: the account 999999999999 is a target and protected as well (protected accounts are never touched; remove it here or from `protected` in the rollout file)",
    ]),
    (("environments/dev.yaml", "environment: dev", "environment: prod"), &[
        "warning E0308 environments/dev.yaml:1:14: the environment `prod` stands in a file named after `dev` (rename the file to prod.yaml, so that `extends: prod` finds it)",
        "E0208 environments/prod.yaml:1:14: there are two environments of the name `prod` (the first one stands in environments/dev.yaml; rename one of the two)",
        "E0304 environments/prod.yaml:17:11: there is no environment `dev` (known here: prod)",
    ]),
    (("environments/prod.yaml", "after: [dev]", "after: [develop]"), &[
        "E0304 environments/prod.yaml:17:11: there is no environment `develop` (did you mean `dev`?)",
    ]),
    (("environments/prod.yaml", "after: [dev]", "after: [prod]"), &[
        "E0305 environments/prod.yaml:17:11: environments wait for each other in a circle: prod → prod (remove one of the `after`s)",
    ]),
    (("environments/prod.yaml", "percent: 100", "percent: 50"), &[
        "E0306 environments/prod.yaml:20:7: the last wave, `rest`, does not reach all accounts (end with a wave of percent: 100)",
    ]),
    (("environments/prod.yaml", "accounts: 2, ", ""), &[
        "E0306 environments/prod.yaml:19:7: wave `canary` has no size (give one of accounts, percent and tags)",
    ]),
    (("environments/prod.yaml", "accounts: 2, bake: 30m,", "accounts: 2, maxConcurrent: 0,"), &[
        "E0207 environments/prod.yaml:19:51: nothing can be done for 0 accounts at a time (write a number from 1 on, or a percentage from 1% to 100%)",
    ]),
    (("environments/prod.yaml", "name: canary", "name: \"the canary\""), &[
        "E0205 environments/prod.yaml:19:15: `the canary` does not have the right form (write lower-case letters, digits and hyphens, at most 30, a letter first)",
    ]),
    (("environments/prod.yaml", "percent: 100,", "percent: 100, bake: 10m,"), &[
        "warning E0312 environments/prod.yaml:20:35: `bake` of `rest` is never waited for, since no wave follows (remove it, or give it to the wave before)",
    ]),
    (("environments/prod.yaml", "approval: required", "approval: { whenever: { deletes: true, policies: true, accountsAbove: 50 } }"), &[]),
    (("environments/prod.yaml", "approval: required", "approval: { whenever: {} }"), &[
        "E0202 environments/prod.yaml:20:57: `whenever` must have a key (give at least one of: deletes, policies, accountsAbove)",
    ]),
    (("environments/prod.yaml", "approval: required", "approval: { whenever: { accountsOver: 50 } }"), &[
        "E0201 environments/prod.yaml:20:59: `whenever` has no key `accountsOver` (did you mean `accountsAbove`?)",
    ]),
    (("environments/prod.yaml", "  waves:", "  firstInstallation: allAtOnce\n  waves:"), &[]),
    (("environments/prod.yaml", "  waves:", "  firstInstallation: careful\n  waves:"), &[
        "E0204 environments/prod.yaml:18:22: `careful` is not allowed here (known here: waves, allAtOnce)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ alarm: errors, in: canary, region: eu-west-1 }"), &[]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ alarm: errors, in: hob }"), &[
        "E0408 environments/prod.yaml:19:74: the section `accounts` has no account `hob` (known here: hub, management)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ alarm: errors, region: eu-west-9 }"), &[
        "E0601 environments/prod.yaml:19:78: there is no Region `eu-west-9` (did you mean `eu-west-3`?)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ alarm: errors, timeout: 5m }"), &[
        "E0306 environments/prod.yaml:19:70: `timeout` of the gate of wave `canary` has no meaning without `command` (give a gate either alarm, in and region, or command and timeout)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ alarm: errors, command: [check] }"), &[
        "E0306 environments/prod.yaml:19:53: the gate of wave `canary` has both an alarm and a command (give one of the two)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ timeout: 5m }"), &[
        "E0306 environments/prod.yaml:19:53: the gate of wave `canary` has neither an alarm nor a command (give one of the two)",
    ]),
    (("environments/prod.yaml", "{ alarm: errors }", "{ command: [\"\"], timeout: 5m }"), &[
        "E0306 environments/prod.yaml:19:64: the gate of wave `canary` names no program (write the program and its arguments as a list: [check-canary, --strict])",
    ]),
    (("environments/prod.yaml", "maxConcurrent: 25%", "maxConcurrent: 0"), &[
        "E0207 environments/prod.yaml:21:18: nothing can be done for 0 accounts at a time (write a number from 1 on, or a percentage from 1% to 100%)",
    ]),
    (("environments/prod.yaml", "[eu-west-1, us-east-1]", "[eu-west-2]"), &[
        "E0312 environments/prod.yaml:22:17: `eu-west-2` is no Region of the environment `prod` (did you mean `eu-west-1`?)",
    ]),
    (("environments/prod.yaml", "\"555555555555\"", "\"444444444444\""), &[
        "E0312 environments/prod.yaml:13:3: the account 444444444444 does not belong to the environment `prod` (remove the section, or make the account a target)",
    ]),
    (("environments/base.yaml", "regions: [us-east-1, eu-west-1]", "regions: []"), &[
        "E0311 environments/base.yaml:1:10: the environment `dev` has no Regions (add `regions: [us-east-1]`, here or in the file that it extends)",
        "E0311 environments/base.yaml:1:10: the environment `prod` has no Regions (add `regions: [us-east-1]`, here or in the file that it extends)",
    ]),
    (("environments/prod.yaml", "logging: {", "loging: {"), &[
        "E0307 environments/prod.yaml:11:3: there is no component `loging` (did you mean `logging`?)",
    ]),
    (("environments/prod.yaml", "logging: { parameters: { Prefix: prod } }", "logging: { enabled: false }"), &[
        "E0312 environments/prod.yaml:11:14: `enabled` has no meaning for `logging`, which is of kind stackSet (only components of kind invocationLogging can be switched)",
    ]),
    (("environments/prod.yaml", "logging: { parameters: { Prefix: prod } }", "central: { parameters: {} }"), &[
        "E0312 environments/prod.yaml:11:3: the component `central` is not made for the environment `prod` (remove the section, or set the value at the component itself)",
    ]),
    (("environments/dev.yaml", "extends: base", "extends: base\ntags: { \"aws:x\": a }"), &[
        "E0205 environments/dev.yaml:3:9: the tag `aws:x` is reserved (tags of AWS start with aws:, ownership tags with bedrail:; use another name)",
    ]),
    (("environments/dev.yaml", "environment: dev", "extends: prod"), &[
        "E0110 environments/dev.yaml:2:1: the key `extends` is written twice in the same map (it stands in line 1, column 1 already; remove one of the two)",
        "E0304 environments/prod.yaml:17:11: there is no environment `dev` (known here: prod)",
    ]),
    // Components.
    (("rollout.yaml", "account: hub", "account: hubs"), &[
        "E0408 rollout.yaml:25:18: the section `accounts` has no account `hubs` (did you mean `hub`?)",
    ]),
    (("rollout.yaml", "account: hub", "account: management"), &[]),
    (("rollout.yaml", "environments: all", "environments: [dev, production]"), &[
        "E0304 rollout.yaml:19:41: there is no environment `production` (did you mean `prod`?)",
    ]),
    (("rollout.yaml", "{ environments: all }", "{ environments: all, root: true }"), &[
        "E0902 rollout.yaml:19:19: the policy `models` is for environments and for fixed targets at once (keep `environments` (one policy per environment), or the others (one policy for all of them))",
    ]),
    (("rollout.yaml", "{ environments: all }", "{ accounts: [hubs] }"), &[
        "E0502 environments/base.yaml:4:11: no template and no policy document takes the parameter `Models` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0503 rollout.yaml:16:15: the parameter `Models` of `policies/models.json` has no value (add `Models:` to the component's parameters)",
        "E0408 rollout.yaml:19:32: the section `accounts` has no account `hubs` (did you mean `hub`?)",
    ]),
    (("rollout.yaml", "{ environments: all }", "{}"), &[
        "E0502 environments/base.yaml:4:11: no template and no policy document takes the parameter `Models` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0503 rollout.yaml:16:15: the parameter `Models` of `policies/models.json` has no value (add `Models:` to the component's parameters)",
        "E0902 rollout.yaml:19:19: the policy `models` is attached to nothing (give attachTo: { environments: all }, or organizationalUnits, accounts or root)",
    ]),
    (("rollout.yaml", ", policyTypes: [SERVICE_CONTROL_POLICY]", ""), &[
        "warning E0904 rollout.yaml:17:15: no component enables the policy type of `models` (add the type to policyTypes of a component of kind organizationAccess, unless it is enabled already)",
    ]),
    (("rollout.yaml", "dependsOn: [access]", "dependsOn: [acces]"), &[
        "E0307 rollout.yaml:20:21: there is no component `acces` (did you mean `access`?)",
    ]),
    (("rollout.yaml", "dependsOn: [access]", "dependsOn: [central]"), &[
        "E0405 rollout.yaml:20:21: `models` needs `central`, which stands in a later phase (phases are done in order: move one of the two)",
    ]),
    (("rollout.yaml", "name: switch", "name: logging"), &[
        "E0208 rollout.yaml:36:15: there are two components of the name `logging` (the first one stands in line 31; rename one of the two)",
    ]),
    (("rollout.yaml", "        s3: { bucket: \"logs-${account.id}-${region}\", keyPrefix: bedrock }\n", ""), &[
        "E0901 rollout.yaml:36:15: `switch` logs to nowhere (add `s3` or `cloudWatch`, or both; or `enabled: false` to keep logging off)",
    ]),
    (("rollout.yaml", "name: logging\n", "name: logging\n        environments: [dev]\n        accounts: [hub]\n"), &[
        "E0502 environments/base.yaml:3:9: no template and no policy document takes the parameter `Days` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0502 environments/prod.yaml:7:9: no template and no policy document takes the parameter `Days` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0502 environments/prod.yaml:9:22: no template and no policy document takes the parameter `Days` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0312 environments/prod.yaml:11:3: the component `logging` is not made for the environment `prod` (remove the section, or set the value at the component itself)",
        "E0502 environments/prod.yaml:14:27: no template and no policy document takes the parameter `Prefix` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0502 environments/prod.yaml:15:44: no template and no policy document takes the parameter `Days` (no component that takes it is made where this value applies; remove it, or move it there)",
        "E0503 rollout.yaml:31:15: the parameter `Days` of `templates/member.yaml` has no value (add `Days:` to the component's parameters)",
        "E0903 rollout.yaml:33:19: `logging` has environments and accounts (keep one: environments (all by default), or accounts of the section `accounts`)",
    ]),
    // References.
    (("rollout.yaml", "${organization.id}", "${organisation.id}"), &[
        "E0401 rollout.yaml:27:39: `${organisation.id}` refers to nothing (did you mean `${organization.id}`?)",
    ]),
    (("rollout.yaml", "-${region}\"", "-${regions}\""), &[
        "E0401 rollout.yaml:37:43: `${regions}` refers to nothing (did you mean `${region}`?)",
    ]),
    (("rollout.yaml", "stack.central.outputs.Arn", "stack.central.outputs.ARNs"), &[
        "E0404 rollout.yaml:34:24: the template `templates/hub.yaml` of `central` has no output `ARNs` (did you mean `Arn`?)",
    ]),
    (("rollout.yaml", "stack.central.outputs.Arn", "stack.centre.outputs.Arn"), &[
        "E0307 rollout.yaml:34:24: there is no component `centre` (did you mean `central`?)",
    ]),
    (("rollout.yaml", "stack.central.outputs.Arn", "stack.switch.outputs.Arn"), &[
        "E0406 rollout.yaml:31:15: components wait for each other in a circle: logging → switch → logging (remove one dependsOn or one reference of the circle)",
        "E0403 rollout.yaml:34:24: `switch` is of kind invocationLogging, which has no outputs to refer to (only components of kind stack have outputs with one value)",
    ]),
    (("rollout.yaml", "${organization.id} }", "${stack.central.outputs.Arn} }"), &[
        "E0406 rollout.yaml:24:15: components wait for each other in a circle: central → central (remove one dependsOn or one reference of the circle)",
    ]),
    (("rollout.yaml", "${organization.id} }", "${environment} }"), &[
        "E0402 rollout.yaml:27:39: ${environment} has no single value here: this component is not made per environment (write the value out, or make the component per environment)",
    ]),
    (("rollout.yaml", "${organization.id} }", "${accounts.hubb.id} }"), &[
        "E0408 rollout.yaml:27:39: ${accounts.hubb.id} refers to nothing: the section `accounts` has no `hubb` (did you mean `hub`?)",
    ]),
    (("rollout.yaml", "${stack.central.outputs.Arn}", "x-${account.id}"), &[
        "E0402 rollout.yaml:34:24: ${account.id} has no single value here: a StackSet has one value for all of its accounts (use the pseudo parameter AWS::AccountId in the template)",
    ]),
    (("rollout.yaml", "${stack.central.outputs.Arn}", "x-${region}"), &[
        "E0402 rollout.yaml:34:24: ${region} has no single value here: a StackSet has one value for all of its Regions (use the pseudo parameter AWS::Region in the template)",
    ]),
    (("rollout.yaml", "${stack.central.outputs.Arn}", "${parameters.Nothing}"), &[
        "E0401 rollout.yaml:34:24: ${parameters.Nothing} refers to no parameter (known here: Days, Destination, Models, Prefix)",
    ]),
    (("rollout.yaml", "${stack.central.outputs.Arn}", "${parameters.Destination}"), &[
        "E0407 rollout.yaml:34:24: parameters of `logging` are made of each other in a circle: Destination → Destination (write one of the values out)",
    ]),
    (("policies/models.json", "${parameters.Models}", "${region}"), &[
        "E0502 environments/base.yaml:4:11: no template and no policy document takes the parameter `Models` (known here: Days, Destination, OrganizationId, Prefix)",
        "E0402 policies/models.json:6:21: ${region} has no single value here: a policy is the same for all accounts and Regions that it is attached to (use a variable or condition key of IAM such as ${aws:PrincipalAccount} or aws:RequestedRegion)",
    ]),
    // Parameters.
    (("rollout.yaml", "Destination: $", "Destnation: $"), &[
        "E0503 rollout.yaml:31:15: the parameter `Destination` of `templates/member.yaml` has no value in dev, prod (add `Destination:` to the parameters of the environment, of the file that it extends, or of the component)",
        "E0501 rollout.yaml:34:23: `templates/member.yaml` of the component `logging` has no parameter `Destnation` (did you mean `Destination`?)",
    ]),
    (("rollout.yaml", "${organization.id} }", "wrong }"), &[
        "E0504 rollout.yaml:27:39: the value of `OrganizationId` is not allowed: `wrong` does not match o-[a-z0-9]+ (the parameter is declared in templates/hub.yaml line 2)",
    ]),
    (("environments/base.yaml", "Days: 30", "Days: 31"), &[
        "E0504 environments/base.yaml:3:9: the value of `Days` is not allowed: `31` is not among 7, 30, 365 (the parameter is declared in templates/member.yaml line 3)",
    ]),
    (("environments/base.yaml", "Days: 30", "Days: [30]"), &[
        "E0504 environments/base.yaml:3:9: `Days` is a list here, and a Number in the template (give one value; the parameter is declared in templates/member.yaml line 3)",
    ]),
    (("environments/base.yaml", "Days: 30", "Dayz: 30"), &[
        "E0502 environments/base.yaml:3:9: no template and no policy document takes the parameter `Dayz` (did you mean `Days`?)",
        "E0503 rollout.yaml:31:15: the parameter `Days` of `templates/member.yaml` has no value in dev (add `Days:` to the parameters of the environment, of the file that it extends, or of the component)",
    ]),
    (("environments/prod.yaml", "Prefix: special", "Prefx: special"), &[
        "E0502 environments/prod.yaml:14:26: no template and no policy document takes the parameter `Prefx` (did you mean `Prefix`?)",
    ]),
    (("environments/prod.yaml", "Prefix: prod", "Prefics: prod"), &[
        "E0501 environments/prod.yaml:11:37: `templates/member.yaml` of the component `logging` has no parameter `Prefics` (did you mean `Prefix`?)",
    ]),
    // Regions.
    (("rollout.yaml", "homeRegion: us-east-1", "homeRegion: us-east-9"), &[
        "E0601 rollout.yaml:5:15: there is no Region `us-east-9` (did you mean `us-east-2`?)",
    ]),
    (("environments/base.yaml", "eu-west-1", "eu-wst-1"), &[
        "E0601 environments/base.yaml:1:22: there is no Region `eu-wst-1` (did you mean `eu-west-1`?)",
    ]),
    (("environments/base.yaml", "eu-west-1", "Ireland"), &[
        "E0205 environments/base.yaml:1:22: `Ireland` does not have the right form (write a code such as us-east-1)",
    ]),
    (("environments/base.yaml", "us-east-1", "ap-east-1"), &[
        "E0602 environments/base.yaml:1:11: the Region ap-east-1 lacks Amazon Bedrock, which `switch` needs (narrow `switch` with `regions:` to Regions that have it)",
        "E0312 environments/prod.yaml:22:28: `us-east-1` is no Region of the environment `prod` (did you mean `ap-east-1`?)",
    ]),
    // What a template may not do in its place.
    (("templates/member.yaml", "Resources:", "Resources:\n  R: { Type: AWS::IAM::Role, Properties: { RoleName: logs } }"), &[
        "E0704 templates/member.yaml:6:54: the RoleName of this AWS::IAM::Role is the same in every Region of `logging`, so the second stack would fail (put ${AWS::Region} into the name, or give `logging` one Region with `regions:`)",
    ]),
    (("templates/member.yaml", "Resources:", "Resources:\n  R: { Type: AWS::IAM::Role, Properties: { RoleName: !Sub 'logs-${AWS::Region}' } }"), &[]),
    (("templates/member.yaml", "Resources:", "Conditions: { Home: !Equals [!Ref AWS::Region, us-east-1], Both: !And [!Condition Home, !Condition Home] }\nResources:\n  R: { Type: AWS::IAM::Role, Condition: Both, Properties: { RoleName: logs } }"), &[]),
    (("templates/member.yaml", "Resources:", "Resources:\n  R: { Type: AWS::IAM::ManagedPolicy, Properties: { ManagedPolicyName: !Ref AWS::StackName } }"), &[]),
    (("templates/member.yaml", "Resources:", "Resources:\n  R: { Type: AWS::IAM::User, Properties: { UserName: !Sub 'u-${Days}' } }"), &[]),
    (("templates/member.yaml", "Resources:", "Resources:\n  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub 'logs-${AWS::AccountId}' } }"), &[
        "E0704 templates/member.yaml:6:57: the BucketName of this AWS::S3::Bucket is the same in every Region of `logging`, so the second stack would fail (put ${AWS::Region} into the name, or give `logging` one Region with `regions:`)",
    ]),
    (("templates/member.yaml", "Resources:", "Resources:\n  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub 'logs-${AWS::Region}' } }"), &[
        "E0704 templates/member.yaml:6:57: the BucketName of this AWS::S3::Bucket is the same in every account of `logging`, so the second stack would fail (put ${AWS::AccountId} into the name: the names of buckets are unique in all of AWS)",
    ]),
    (("templates/member.yaml", "Resources:", "Resources:\n  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub 'logs-${AWS::AccountId}-${AWS::Region}' } }"), &[]),
    (("templates/hub.yaml", "Key: {", "B: { Type: AWS::S3::Bucket, Properties: { BucketName: logs } }\n  Key: {"), &[]),
    (("templates/member.yaml", "Resources:", "Resources:\n  M: { Type: AWS::Budgets::Budget }"), &[
        "E0705 templates/member.yaml:6:3: `logging` would make this AWS::Budgets::Budget in 2 Regions of each account, and budgets are global (give `logging` one Region: `regions: [us-east-1]`)",
    ]),
    (("templates/hub.yaml", "Key: {", "M: { Type: AWS::Budgets::Budget }\n  Key: {"), &[]),
    (("templates/member.yaml", "!Ref Days", "100"), &[
        "E0706 templates/member.yaml:6:69: CloudWatch Logs does not keep records for `100` days (the next possible number is 120)",
    ]),
    (("templates/member.yaml", "!Ref Days", "!If [Long, 5000, 30]"), &[
        "E0706 templates/member.yaml:6:80: CloudWatch Logs does not keep records for `5000` days (the next possible number is 3653)",
    ]),
    (("templates/member.yaml", "!Ref Days", "!Ref Prefix"), &[
        "E0706 environments/prod.yaml:11:36: CloudWatch Logs does not keep records for `prod` days, the value of `Prefix` for the log group of `logging` (write a number of days such as 30 or 365)",
        "E0706 environments/prod.yaml:14:27: CloudWatch Logs does not keep records for `special` days, the value of `Prefix` for the log group of `logging` (write a number of days such as 30 or 365)",
    ]),
    (("templates/member.yaml", ", AllowedValues: [7, 30, 365]", ""), &[]),
    (("templates/member.yaml", "Resources:", "Resources:\n  N: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: x } }"), &[
        "E0708 templates/member.yaml:6:3: the template of `logging` has a nested stack, which StackSets with service-managed permissions do not take (write its resources into the template itself, or make a component of its own of them)",
    ]),
    (("templates/member.yaml", "Resources:", "Transform: AWS::LanguageExtensions\nResources:"), &[
        "E0708 rollout.yaml:32:19: the template of `logging` has a macro, which StackSets with service-managed permissions do not take (write its resources into the template itself, or make a component of its own of them)",
    ]),
    (("templates/hub.yaml", "Resources:", "Transform: AWS::LanguageExtensions\nResources:"), &[]),
    (("templates/member.yaml", "!Ref Days", "!ImportValue days"), &[]),
    // Paths, templates, documents.
    (("rollout.yaml", "templates/hub.yaml", "templates/hubs.yaml"), &[
        "E0101 rollout.yaml:26:19: `templates/hubs.yaml` cannot be read: there is no such file (did you mean `templates/hub.yaml`?)",
    ]),
    (("rollout.yaml", "templates/hub.yaml", "../hub.yaml"), &[
        "E0102 rollout.yaml:26:19: the path `../hub.yaml` does not stay inside the rollout's folder (use a path relative to the rollout's folder, with forward slashes and without `..`)",
    ]),
    (("templates/hub.yaml", "Resources", "Resorces"), &[
        "E0701 templates/hub.yaml:1:1: the template has no Resources (add the section Resources with at least one resource)",
        "E0701 templates/hub.yaml:3:1: templates have no section `Resorces` (did you mean `Resources`?)",
    ]),
    (("policies/models.json", "\"Deny\",", "\"Deny\""), &[
        "E0106 policies/models.json:5:5: this is not well-formed JSON: a comma or } is expected here (JSON knows no comments, no trailing commas and double quotes only)",
    ]),
    (("policies/models.json", "\"Deny\"", "\"deny\""), &[
        "E0801 policies/models.json:4:15: `deny` is no Effect here (use Allow or Deny)",
    ]),
    // One row per role and statement; what depends on more than who asks for what is not said.
    (("policies/models.json", "[\"bedrock:InvokeModel\"],\n    \"NotResource\"", "\"bedrock:*\",\n    \"NotResource\""), &[
        "warning E0804 policies/models.json:1:1: the statement #1 of `policies/models.json` denies the deployer's role bedrock:DeleteModelInvocationLoggingConfiguration in dev (except it with the condition ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/${organization.deployerRole}, unless the policy is for accounts that the rollout never touches)",
        "warning E0804 policies/models.json:1:1: the statement #1 of `policies/models.json` denies the deployer's role bedrock:DeleteModelInvocationLoggingConfiguration in prod (except it with the condition ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/${organization.deployerRole}, unless the policy is for accounts that the rollout never touches)",
    ]),
    (("policies/models.json", "[\"bedrock:InvokeModel\"],\n    \"NotResource\"", "\"iam:*\", \"Condition\": { \"ArnNotLike\": { \"aws:PrincipalArn\": \"arn:aws:iam::*:role/stacksets-exec-*\" } },\n    \"NotResource\""), &[]),
    (("policies/models.json", "[\"bedrock:InvokeModel\"],\n    \"NotResource\"", "\"iam:*\", \"Condition\": { \"ArnNotLike\": { \"aws:PrincipalArn\": \"arn:aws:iam::*:role/admin\" } },\n    \"NotResource\""), &[
        "warning E0804 policies/models.json:1:1: the statement #1 of `policies/models.json` denies StackSets iam:CreateRole in dev (except it with the condition ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/stacksets-exec-*, unless the policy is for accounts that the rollout never touches)",
        "warning E0804 policies/models.json:1:1: the statement #1 of `policies/models.json` denies StackSets iam:CreateRole in prod (except it with the condition ArnNotLike: aws:PrincipalArn: arn:aws:iam::*:role/stacksets-exec-*, unless the policy is for accounts that the rollout never touches)",
    ]),
    (("policies/models.json", "[\"bedrock:InvokeModel\"],\n    \"NotResource\"", "\"bedrock:*\", \"Condition\": { \"StringEquals\": { \"aws:RequestedRegion\": \"us-east-1\" } },\n    \"NotResource\""), &[]),
    (("policies/models.json", "[\"arn:aws:bedrock:*::foundation-model/${parameters.Models}\"]", "\"${parameters.Models}\""), &[
        "E0803 policies/models.json:6:20: ${parameters.Models} is a list, and only entries of a list can become several (put the text into a list: [\"…\"])",
    ]),
]
