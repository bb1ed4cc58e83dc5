//! Would CloudFormation accept this value for this parameter?

use super::{ParameterDeclaration, ParameterType, Template};
use crate::config::pattern;

/// Bytes of a parameter's value (CloudFormation quotas, November 2026).
const MAX_VALUE_BYTES: usize = 4_096;

impl Template {
    /// Checks a value as it would be sent: lists joined with commas. The reason completes the sentence
    /// "the value is not allowed: …".
    pub fn check_value(&self, parameter: &str, text: &str) -> Result<(), String> {
        match self.parameters.get(parameter) {
            Some(declaration) => declaration.check(text),
            None => Err(format!("{} has no parameter `{parameter}`", self.path)),
        }
    }
}

impl ParameterDeclaration {
    /// The same for one declaration.
    pub fn check(&self, text: &str) -> Result<(), String> {
        self.constraints(text)
            .map_err(|reason| match &self.constraint_description {
                Some(description) => format!("{reason} ({description})"),
                None => reason,
            })
    }

    fn constraints(&self, text: &str) -> Result<(), String> {
        if text.len() > MAX_VALUE_BYTES {
            return Err(format!(
                "it has {} bytes, at most {MAX_VALUE_BYTES} are possible",
                text.len()
            ));
        }
        if self.parameter_type.is_list() {
            if text.is_empty() {
                return Ok(());
            }
            return text.split(',').try_for_each(|item| self.one(item.trim()));
        }
        self.one(text)
    }

    fn one(&self, text: &str) -> Result<(), String> {
        if matches!(
            self.parameter_type,
            ParameterType::Number | ParameterType::ListOfNumber
        ) {
            self.number(text)?;
        }
        if !self.allowed_values.is_empty()
            && !self
                .allowed_values
                .iter()
                .any(|allowed| same(allowed, text))
        {
            return Err(format!(
                "{} is not among {}",
                shown(self, text),
                self.allowed_values.join(", ")
            ));
        }
        let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if let Some(minimum) = self.min_length.filter(|minimum| length < *minimum) {
            return Err(format!(
                "it has {length} characters, at least {minimum} are needed"
            ));
        }
        if let Some(maximum) = self.max_length.filter(|maximum| length > *maximum) {
            return Err(format!(
                "it has {length} characters, at most {maximum} are possible"
            ));
        }
        if let Some(pattern) = &self.allowed_pattern {
            // CloudFormation wants the whole value to match.
            let matches = pattern::matches_whole(pattern, text).unwrap_or(true);
            if !matches {
                return Err(format!("{} does not match {pattern}", shown(self, text)));
            }
        }
        Ok(())
    }

    fn number(&self, text: &str) -> Result<(), String> {
        let number = decimal(text).ok_or_else(|| format!("{} is no number", shown(self, text)))?;
        let bound = |bound: &Option<String>| bound.as_deref().and_then(decimal);
        if let Some(minimum) = bound(&self.min_value).filter(|minimum| number < *minimum) {
            return Err(format!("{} is less than {minimum}", shown(self, text)));
        }
        if let Some(maximum) = bound(&self.max_value).filter(|maximum| number > *maximum) {
            return Err(format!("{} is more than {maximum}", shown(self, text)));
        }
        Ok(())
    }
}

/// The value for a message; a secret is not repeated.
fn shown(declaration: &ParameterDeclaration, text: &str) -> String {
    if declaration.no_echo {
        "the secret value".to_owned()
    } else {
        format!("`{text}`")
    }
}

fn decimal(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn same(allowed: &str, text: &str) -> bool {
    allowed == text || matches!((decimal(allowed), decimal(text)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use crate::template::Template;

    #[test]
    fn values_are_judged_as_cloudformation_judges_them() {
        let template = Template::parse(
            "t.yaml",
            r#"
Parameters:
  Days: {Type: Number, AllowedValues: [1, 365]}
  Ratio: {Type: Number, MinValue: 0.5, MaxValue: 2}
  Name: {Type: String, AllowedPattern: "[a-z]+", ConstraintDescription: lower case}
  Short: {Type: String, MinLength: 2, MaxLength: 3}
  Ids: {Type: CommaDelimitedList, AllowedPattern: "\\d{12}"}
  Ports: {Type: "List<Number>", MaxValue: 100}
  Secret: {Type: String, NoEcho: true, AllowedPattern: "a+"}
Resources: {A: {Type: AWS::S3::Bucket}}
"#,
        )
        .unwrap();
        for (parameter, value, reason) in [
            ("Days", "365", None),
            ("Days", "365.0", None),
            ("Days", "2", Some("`2` is not among 1, 365")),
            ("Days", "many", Some("`many` is no number")),
            ("Ratio", "0.4", Some("`0.4` is less than 0.5")),
            ("Ratio", "2.5", Some("`2.5` is more than 2")),
            ("Name", "abc", None),
            (
                "Name",
                "abc1",
                Some("`abc1` does not match [a-z]+ (lower case)"),
            ),
            (
                "Short",
                "é",
                Some("it has 1 characters, at least 2 are needed"),
            ),
            (
                "Short",
                "abcd",
                Some("it has 4 characters, at most 3 are possible"),
            ),
            ("Ids", "111111111111, 222222222222", None),
            ("Ids", "", None),
            ("Ids", "111111111111,2", Some("`2` does not match \\d{12}")),
            ("Ports", "1,101", Some("`101` is more than 100")),
            (
                "Secret",
                "hunter2",
                Some("the secret value does not match a+"),
            ),
            ("Nope", "x", Some("t.yaml has no parameter `Nope`")),
        ] {
            assert_eq!(
                template.check_value(parameter, value).err().as_deref(),
                reason,
                "{parameter}={value}"
            );
        }
    }
}
