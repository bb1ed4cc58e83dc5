//! Every diagnostic has a code, and this is the list of them.

/// A code and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    pub id: &'static str,
    pub summary: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal, $summary:literal;)*) => {
        $(#[doc = $summary] pub const $name: &str = $id;)*

        /// All codes in order.
        pub const ALL: &[Code] = &[$(Code { id: $id, summary: $summary }),*];
    };
}

codes! {
    // Files.
    MISSING_FILE = "E0101", "a file that is named cannot be read";
    OUTSIDE_PROJECT = "E0102", "a path leads out of the rollout's folder";
    NOT_A_FILE = "E0103", "a path names something other than a regular file";
    TOO_LARGE = "E0104", "a file is larger than is read";
    NOT_UTF8 = "E0105", "a file is not UTF-8 text";
    SYNTAX = "E0106", "a file is not well-formed YAML or JSON";
    SEVERAL_DOCUMENTS = "E0107", "a YAML file holds more than one document";
    ALIAS = "E0108", "YAML anchors, aliases and merge keys are not read";
    TOO_DEEP = "E0109", "a document is nested too deeply or has too many values";
    DUPLICATE_KEY = "E0110", "a key is written twice in one map";
    TAG = "E0111", "a YAML tag stands where none has a meaning";
    EMPTY_FILE = "E0112", "a file says nothing";

    // Shape.
    UNKNOWN_KEY = "E0201", "a key that has no meaning here";
    MISSING_KEY = "E0202", "a key that must be given is not there";
    WRONG_TYPE = "E0203", "a value of another type than is expected";
    UNKNOWN_WORD = "E0204", "a value that is none of the allowed words";
    PATTERN = "E0205", "a value that does not have the form it must have";
    UNQUOTED_ID = "E0206", "an account id without quotes, which YAML reads as a number";
    OUT_OF_RANGE = "E0207", "a number that is too small or too large, or a list that is too short or too long";
    DUPLICATE_NAME = "E0208", "a name that must be unique is used twice";
    UNREADABLE = "E0209", "a value that passed all checks and still cannot be read";

    // Environments.
    UNKNOWN_BASE = "E0301", "`extends` names no file";
    EXTENDS_CYCLE = "E0302", "environments extend each other in a circle";
    EMPTY_TARGETS = "E0303", "an environment that no account can belong to";
    UNKNOWN_ENVIRONMENT = "E0304", "an environment that does not exist";
    DELIVERY_CYCLE = "E0305", "environments wait for each other in a circle";
    WAVES = "E0306", "waves that cannot be followed";
    UNKNOWN_COMPONENT = "E0307", "a component that does not exist";
    FILE_NAME = "E0308", "an environment's name differs from its file's name";
    PROTECTED = "E0309", "a protected account or organizational unit is declared as a target";
    CLAIMED_TWICE = "E0310", "an account or organizational unit is claimed by two that want different things";
    NO_REGIONS = "E0311", "an environment without Regions";
    MEANINGLESS = "E0312", "a setting that has no effect where it stands";

    // References.
    BAD_REFERENCE = "E0401", "`${…}` names nothing that is known";
    REFERENCE_PLACE = "E0402", "a reference to something that has no single value here";
    NO_STACK = "E0403", "a reference to the outputs of something that is no stack";
    UNKNOWN_OUTPUT = "E0404", "a reference to an output that the template does not have";
    LATER_PHASE = "E0405", "a component that depends on one of a later phase";
    COMPONENT_CYCLE = "E0406", "components that wait for each other in a circle";
    PARAMETER_CYCLE = "E0407", "parameters that are made of each other in a circle";
    UNKNOWN_ACCOUNT = "E0408", "a name that the section `accounts` does not have";

    // Parameters.
    NO_SUCH_PARAMETER = "E0501", "a component's parameter that its template does not have";
    UNUSED_PARAMETER = "E0502", "a parameter that no template and no policy document takes";
    MISSING_PARAMETER = "E0503", "a parameter without a value";
    BAD_VALUE = "E0504", "a value that the template does not allow";

    // Regions.
    UNKNOWN_REGION = "E0601", "a Region that does not exist";
    REGION_LACKS_TYPE = "E0602", "a Region that lacks a resource type of the template";
    EMPTY_REGIONS = "E0603", "a component with an empty list of Regions";

    // Templates.
    TEMPLATE_SHAPE = "E0701", "a file that is no CloudFormation template";
    TEMPLATE_LIMIT = "E0702", "a template that is over a limit of CloudFormation";
    PARAMETER_DECLARATION = "E0703", "a template's parameter that is declared wrongly";
    NAME_CLASH = "E0704", "a name that would be the same in two Regions or accounts where it can exist only once";
    ONCE_PER_ACCOUNT = "E0705", "a type that exists once per account, in a component with several Regions";
    RETENTION = "E0706", "a retention that CloudWatch Logs does not know";
    FOREIGN_EXPORT = "E0707", "an import of what only another account exports";
    NOT_IN_STACK_SETS = "E0708", "a nested stack or a macro, which StackSets with service-managed permissions do not take";

    // Policy documents.
    POLICY_SHAPE = "E0801", "a policy document that AWS Organizations does not accept";
    POLICY_SIZE = "E0802", "a policy document that is over the size limit";
    POLICY_LIST = "E0803", "a list where a policy document can have only one value";
    LOCKS_OUT = "E0804", "a policy that denies the rollout itself what it does";

    // Components.
    NO_DESTINATION = "E0901", "invocation logging without a destination";
    ATTACHMENT = "E0902", "a policy whose targets are declared wrongly";
    TARGET_CHOICE = "E0903", "a component with both environments and accounts, or neither";
    NOT_ENABLED = "E0904", "a policy of a type that no component enables";

    // The organization, which is known only when it was discovered.
    NO_SUCH_ACCOUNT = "E1001", "a selector that no account fits";
    SEVERAL_ACCOUNTS = "E1002", "a selector that more than one account fits";
    NO_SUCH_UNIT = "E1003", "an organizational unit that does not exist";
    SEVERAL_UNITS = "E1004", "a path that more than one organizational unit has";
    NOT_IN_ORGANIZATION = "E1005", "an account that is not in the organization";
    TWO_ENVIRONMENTS = "E1006", "an account that belongs to two environments";
    EMPTY_ENVIRONMENT = "E1007", "an environment that reaches no account";
    WRONG_ORGANIZATION = "E1008", "credentials of another organization";

    // What is live.
    ACCESS_DISABLED = "E1101", "trusted access that cannot be activated";
    NOT_OURS = "E1102", "something of the same name that does not belong to the rollout";
    NO_ROOM = "E1103", "more policies on a target than AWS allows";
    RENDERED_SIZE = "E1104", "a policy that is over the size limit once it is filled in";
    WAITS_FOR_OUTPUT = "E1105", "a policy that needs a value which only an earlier run can give";
    UNRESOLVED = "E1106", "a reference to something that is not there";
    STACK_STATE = "E1107", "a stack in a state that must be repaired by hand";
    LOCKED_OUT = "E1108", "a policy that would deny the rollout, or the way back in, what they need";
    GUARD_CASE = "E1109", "a case of `guard` that would not hold";
    SHRUNK = "E1110", "more accounts that would leave the rollout than may in one run";
    CONTRADICTION = "E1199", "a plan that breaks its own rules: a fault of Bedrail";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
