//! True, false, or in doubt with the reasons (Kleene's logic).

use std::collections::BTreeSet;

/// Why something could not be decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Doubt {
    #[error("the condition operator `{0}` is not known")]
    Operator(String),
    #[error("nothing is said about the condition key `{0}`")]
    Key(String),
    #[error("the condition key `{0}` has several values, and the operator is for one")]
    SeveralValues(String),
    #[error("`{value}` of the condition key `{key}` is no {kind}")]
    Value {
        key: String,
        value: String,
        kind: &'static str,
    },
    #[error("the policy variable `{0}` cannot be read")]
    Variable(String),
    #[error("the value of the policy variable `{0}` has a wildcard in it")]
    WildcardInVariable(String),
    #[error("who `{0}` is, is not known")]
    Principal(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown(BTreeSet<Doubt>),
}

impl Truth {
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, other) | (other, Self::False) => other,
            (Self::Unknown(mut doubts), Self::Unknown(more)) => {
                doubts.extend(more);
                Self::Unknown(doubts)
            }
        }
    }

    pub fn and(self, other: Self) -> Self {
        self.not().or(other.not()).not()
    }

    pub fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    pub fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::False;
        for item in items {
            if item == Self::True {
                return Self::True;
            }
            result = result.or(item);
        }
        result
    }

    pub fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut result = Self::True;
        for item in items {
            if item == Self::False {
                return Self::False;
            }
            result = result.and(item);
        }
        result
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<Doubt> for Truth {
    fn from(doubt: Doubt) -> Self {
        Self::Unknown(BTreeSet::from([doubt]))
    }
}

impl From<Result<bool, Doubt>> for Truth {
    fn from(result: Result<bool, Doubt>) -> Self {
        match result {
            Ok(value) => value.into(),
            Err(doubt) => doubt.into(),
        }
    }
}
