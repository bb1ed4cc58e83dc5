//! The services of the sandbox and the protocol each of them speaks (botocore 1.44.5, `service-2.json`).

/// How requests and answers of a service look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Query { namespace: &'static str },
    Json,
    Cbor,
    RestJson,
    RestXml,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Account,
    Bedrock,
    CloudFormation,
    Iam,
    Kms,
    Logs,
    Monitoring,
    Organizations,
    S3,
    Sqs,
    Sts,
}

impl Service {
    /// From the signing name in the credential scope.
    pub fn signed_as(name: &str) -> Option<Self> {
        Some(match name {
            "account" => Self::Account,
            "bedrock" => Self::Bedrock,
            "cloudformation" => Self::CloudFormation,
            "iam" => Self::Iam,
            "kms" => Self::Kms,
            "logs" => Self::Logs,
            "monitoring" => Self::Monitoring,
            "organizations" => Self::Organizations,
            "s3" => Self::S3,
            "sqs" => Self::Sqs,
            "sts" => Self::Sts,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Bedrock => "bedrock",
            Self::CloudFormation => "cloudformation",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Logs => "logs",
            Self::Monitoring => "monitoring",
            Self::Organizations => "organizations",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
        }
    }

    /// The protocol that it is asked in, or was asked in first where it speaks several: its error codes
    /// are of that one.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::CloudFormation => Protocol::Query {
                namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
            },
            Self::Iam => Protocol::Query {
                namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
            },
            Self::Sts => Protocol::Query {
                namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
            },
            Self::Monitoring => Protocol::Query {
                namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
            },
            Self::Kms | Self::Logs | Self::Organizations | Self::Sqs => Protocol::Json,
            Self::Account | Self::Bedrock => Protocol::RestJson,
            Self::S3 => Protocol::RestXml,
        }
    }

    /// The content type of its JSON.
    pub fn json_type(self) -> &'static str {
        match self {
            Self::Sqs => "application/x-amz-json-1.0",
            _ => "application/x-amz-json-1.1",
        }
    }

    /// One service for all Regions, whatever Region a request is signed for.
    pub fn is_global(self) -> bool {
        matches!(self, Self::Account | Self::Iam | Self::Organizations)
    }

    /// What the service calls the text of an error on the wire: Organizations models it as `Message`.
    pub fn message_member(self) -> &'static str {
        match self {
            Self::Organizations => "Message",
            _ => "message",
        }
    }

    /// The name of the error's shape, for services whose shapes and Query codes have different names.
    pub fn error_shape(self, code: &str) -> &str {
        match (self, code) {
            (Self::Monitoring, "InvalidFormat") => "InvalidFormatFault",
            (Self::Monitoring, "LimitExceeded") => "LimitExceededFault",
            _ => code,
        }
    }
}
