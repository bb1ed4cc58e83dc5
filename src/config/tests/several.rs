&[
    // A wrong Region code hides neither a missing parameter nor a value that is not allowed.
    (&[
        ("environments/base.yaml", "eu-west-1]", "Ireland, eu-west-1]"),
        ("environments/base.yaml", "Days: 30", "Days: 31"),
        ("rollout.yaml", "parameters: { OrganizationId: ${organization.id} }", "dependsOn: [acces]"),
    ], &[
        "E0205 environments/base.yaml:1:22: `Ireland` does not have the right form (write a code such as us-east-1)",
        "E0504 environments/base.yaml:3:9: the value of `Days` is not allowed: `31` is not among 7, 30, 365 (the parameter is declared in templates/member.yaml line 3)",
        "E0503 rollout.yaml:24:15: the parameter `OrganizationId` of `templates/hub.yaml` has no value (add `OrganizationId:` to the component's parameters)",
        "E0307 rollout.yaml:27:21: there is no component `acces` (did you mean `access`?)",
    ]),
    // Of a dropped component nothing else is said, of the others everything.
    (&[
        ("rollout.yaml", "kind: stack\n", "kind: stacks\n"),
        ("rollout.yaml", "dependsOn: [access]", "dependsOn: [central, acces]"),
        ("environments/prod.yaml", "after: [dev]", "after: [develop]"),
    ], &[
        "E0304 environments/prod.yaml:17:11: there is no environment `develop` (did you mean `dev`?)",
        "E0307 rollout.yaml:20:30: there is no component `acces` (did you mean `access`?)",
        "E0204 rollout.yaml:23:15: `stacks` is no kind of a component (did you mean `stack`?)",
    ]),
    // Of a dropped StackSet's template nobody knows whether its parameters are taken.
    (&[
        ("rollout.yaml", "name: logging\n        template", "name: logging\n        templat"),
        ("environments/prod.yaml", "[eu-west-1, us-east-1]", "[eu-west-2]"),
    ], &[
        "E0312 environments/prod.yaml:22:17: `eu-west-2` is no Region of the environment `prod` (did you mean `eu-west-1`?)",
        "E0202 rollout.yaml:30:9: a component of kind `stackSet` has no `template` (add `template:`: Path of the CloudFormation template, relative to the rollout's folder.)",
        "E0201 rollout.yaml:32:9: a component of kind `stackSet` has no key `templat` (did you mean `template`?)",
    ]),
    // Two templates, one with a wrong path.
    (&[
        ("rollout.yaml", "templates/hub.yaml", "templates/hubs.yaml"),
        ("rollout.yaml", "Destination: $", "Destnation: $"),
        ("environments/base.yaml", "Days: 30", "Dayz: 30"),
    ], &[
        "E0502 environments/base.yaml:3:9: no template and no policy document takes the parameter `Dayz` (did you mean `Days`?)",
        "E0101 rollout.yaml:26:19: `templates/hubs.yaml` cannot be read: there is no such file (did you mean `templates/hub.yaml`?)",
        "E0503 rollout.yaml:31:15: the parameter `Days` of `templates/member.yaml` has no value in dev (add `Days:` to the parameters of the environment, of the file that it extends, or of the component)",
        "E0503 rollout.yaml:31:15: the parameter `Destination` of `templates/member.yaml` has no value in dev, prod (add `Destination:` to the parameters of the environment, of the file that it extends, or of the component)",
        "E0501 rollout.yaml:34:23: `templates/member.yaml` of the component `logging` has no parameter `Destnation` (did you mean `Destination`?)",
    ]),
    (&[
        ("rollout.yaml", "templates/member.yaml", "templates/members.yaml"),
        ("rollout.yaml", "${organization.id}", "wrong"),
        ("rollout.yaml", "stack.central.outputs.Arn", "stack.central.outputs.ARNs"),
    ], &[
        "E0504 rollout.yaml:27:39: the value of `OrganizationId` is not allowed: `wrong` does not match o-[a-z0-9]+ (the parameter is declared in templates/hub.yaml line 2)",
        "E0101 rollout.yaml:32:19: `templates/members.yaml` cannot be read: there is no such file (did you mean `templates/member.yaml`?)",
        "E0404 rollout.yaml:34:24: the template `templates/hub.yaml` of `central` has no output `ARNs` (did you mean `Arn`?)",
    ]),
    // Keys that are nearly right take with them what follows from their absence.
    (&[
        ("environments/base.yaml", "parameters", "paramters"),
        ("environments/base.yaml", "regions", "region"),
        ("environments/dev.yaml", "targets", "target"),
        ("environments/prod.yaml", "percent: 100", "percent: 50"),
    ], &[
        "E0201 environments/base.yaml:1:1: the file has no key `region` (did you mean `regions`?)",
        "E0201 environments/base.yaml:2:1: the file has no key `paramters` (did you mean `parameters`?)",
        "E0201 environments/dev.yaml:3:1: the file has no key `target` (did you mean `targets`?)",
        "E0306 environments/prod.yaml:20:7: the last wave, `rest`, does not reach all accounts (end with a wave of percent: 100)",
    ]),
    // The organization's section, ids without quotes, a key that is written twice, and a circle.
    (&[
        ("rollout.yaml", "homeRegion: us-east-1", "homeRegion: Virginia"),
        ("rollout.yaml", "[\"999999999999\"]", "[999999999999]"),
        ("rollout.yaml", "account: hub", "account: hub\n        account: hubs"),
        ("environments/prod.yaml", "after: [dev]", "after: [prod]"),
        ("environments/prod.yaml", "\"555555555555\"", "444444444444"),
    ], &[
        "E0206 environments/prod.yaml:13:3: the account id 444444444444 is not in quotes, so YAML reads it as a number (put it in quotes: \"444444444444\")",
        "E0312 environments/prod.yaml:13:3: the account 444444444444 does not belong to the environment `prod` (remove the section, or make the account a target)",
        "E0305 environments/prod.yaml:17:11: environments wait for each other in a circle: prod → prod (remove one of the `after`s)",
        "E0205 rollout.yaml:5:15: `Virginia` does not have the right form (write a code such as us-east-1)",
        "E0206 rollout.yaml:9:14: the account id 999999999999 is not in quotes, so YAML reads it as a number (put it in quotes: \"999999999999\")",
        "E0110 rollout.yaml:26:9: the key `account` is written twice in the same map (it stands in line 25, column 9 already; remove one of the two)",
    ]),
    // A rollout file that cannot be read leaves the environments to be checked.
    (&[
        ("rollout.yaml", "version: 1", "version: [1"),
        ("environments/dev.yaml", "[Workloads/Dev]", "[Workloads/Prod]"),
        ("environments/prod.yaml", "after: [dev]", "after: [develop]"),
    ], &[
        "E0310 environments/prod.yaml:4:25: the organizational unit `Workloads/Prod` belongs to the environments `dev` and `prod` (an account has one environment; it is claimed at environments/dev.yaml:4:25 already)",
        "E0304 environments/prod.yaml:17:11: there is no environment `develop` (did you mean `dev`?)",
        "E0106 rollout.yaml:2:5: this is not well-formed YAML: illegal placement of ':' indicator (look at this line and the one before it: indentation, quotes, brackets)",
    ]),
    // A lost wave or target is not missed a second time.
    (&[
        ("environments/prod.yaml", "percent: 100", "percent: 101"),
        ("environments/dev.yaml", "[Workloads/Dev]", "5"),
        ("environments/base.yaml", "Models: [", "Models: [{ a: b }, "),
        ("rollout.yaml", "name: hub\n", "title: hub\n"),
        ("rollout.yaml", "dependsOn: [logging]", "dependsOn: [loging]"),
    ], &[
        "E0203 environments/base.yaml:4:12: an entry of `Models` must be text, a number or true or false, not a map (write text, a number or true or false here)",
        "E0203 environments/dev.yaml:4:24: `organizationalUnits` must be a list, not a number (write it as a list: [5])",
        "E0207 environments/prod.yaml:20:30: `101` is not possible here (write a number from 1 to 100)",
        "E0202 rollout.yaml:21:5: an entry of `phases` has no `name` (add `name:`)",
        "E0201 rollout.yaml:21:5: an entry of `phases` has no key `title` (known here: name)",
        "E0307 rollout.yaml:38:21: there is no component `loging` (did you mean `logging`?)",
    ]),
    // A reference to nothing hides only its own parameter.
    (&[
        ("rollout.yaml", "${organization.id}", "${organisation.id}"),
        ("rollout.yaml", "Destination: $", "Destnation: $"),
    ], &[
        "E0401 rollout.yaml:27:39: `${organisation.id}` refers to nothing (did you mean `${organization.id}`?)",
        "E0503 rollout.yaml:31:15: the parameter `Destination` of `templates/member.yaml` has no value in dev, prod (add `Destination:` to the parameters of the environment, of the file that it extends, or of the component)",
        "E0501 rollout.yaml:34:23: `templates/member.yaml` of the component `logging` has no parameter `Destnation` (did you mean `Destination`?)",
    ]),
    // What has a tag is not judged, and its section stays.
    (&[
        ("environments/dev.yaml", "extends: base", "extends: base\nparameters: { Days: !Ref X, Dayz: 1 }"),
        ("rollout.yaml", "template: templates/hub.yaml", "template: templates/hub.yaml\n        terminationProtection: yes"),
        ("rollout.yaml", "OrganizationId: $", "OrganisationId: $"),
    ], &[
        "E0111 environments/dev.yaml:3:21: the tag `!Ref` has no meaning in this file (remove it; functions such as !Sub work in templates only, here `${…}` refers to other values)",
        "E0502 environments/dev.yaml:3:35: no template and no policy document takes the parameter `Dayz` (did you mean `Days`?)",
        "E0503 rollout.yaml:24:15: the parameter `OrganizationId` of `templates/hub.yaml` has no value (add `OrganizationId:` to the component's parameters)",
        "E0203 rollout.yaml:27:32: `terminationProtection` must be true or false, not text (write true, without quotes)",
        "E0501 rollout.yaml:28:39: `templates/hub.yaml` of the component `central` has no parameter `OrganisationId` (did you mean `OrganizationId`?)",
    ]),
]
