//! What each layer says of a request.

use super::{Policies, Request};
use crate::compile::{Guardrails, PolicySet, Scan};

/// Services whose resources resource control policies limit (`orgs_manage_policies_rcps`, list of September 2026).
const RESOURCE_CONTROLLED: [&str; 62] = [
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// Which of the layers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applies {
    pub(crate) service_control: Result<(), NotAsked>,
    pub(crate) resource_control: Result<(), NotAsked>,
    pub(crate) principal: Result<(), NotAsked>,
}

/// Why a layer that is there is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAsked {
    NotOfAnAccount,
    ServiceLinkedRole,
    ServiceWithoutResourceControl,
    RootUser,
}

impl NotAsked {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotOfAnAccount => "the principal is not one of an account",
            Self::ServiceLinkedRole => "it does not limit service-linked roles",
            Self::ServiceWithoutResourceControl => "it does not limit this action",
            Self::RootUser => "the root user has every permission of its account",
        }
    }
}

impl Applies {
    pub(crate) fn to(policies: &Policies<'_>, request: &Request<'_>) -> Self {
        let principal = request.principal;
        let of_account = if principal.is_of_account() { Ok(()) } else { Err(NotAsked::NotOfAnAccount) };
        let linked = if principal.is_service_linked() { Err(NotAsked::ServiceLinkedRole) } else { Ok(()) };
        let controlled = match policies.resource_control {
            Some(_) if !is_resource_controlled(request) => Err(NotAsked::ServiceWithoutResourceControl),
            _ => Ok(()),
        };
        // The root user has no policies of its own, but a session of it has those that it was given for its task.
        let root = principal.kind == crate::principal::PrincipalKind::Root
            && !policies.principal.has_session_policies;
        Self {
            service_control: of_account.and(linked),
            resource_control: controlled.and(linked),
            principal: if root { Err(NotAsked::RootUser) } else { of_account },
        }
    }
}

fn is_resource_controlled(request: &Request<'_>) -> bool {
    let (service, name) = (request.action.service(), request.action.name());
    let exempt = (service, name) == (b"kms", b"retiregrant");
    !exempt && RESOURCE_CONTROLLED.iter().any(|own| own.as_bytes() == service)
}

/// What a layer, or all levels of one, say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) service_control: Option<Scan>,
    pub(crate) resource_control: Option<Scan>,
    pub(crate) endpoint: Option<Scan>,
    pub(crate) resource: Scan,
    pub(crate) principal: Scan,
}

impl Findings {
    /// Asks layer after layer; `None` as soon as one denies.
    pub(crate) fn until_denied(
        policies: &Policies<'_>,
        request: &Request<'_>,
        applies: &Applies,
    ) -> Option<Self> {
        let has_boundary = policies.principal.has_boundary;
        let undenied = |scan: Scan| if scan.denied { None } else { Some(scan) };
        let guardrails = |levels: Option<&Guardrails>, applies: Result<(), NotAsked>| match levels {
            Some(levels) if applies.is_ok() => undenied(levels.layered.scan(request, has_boundary)).map(Some),
            _ => Some(None),
        };
        let set = |set: Option<&PolicySet>| match set {
            Some(set) => undenied(set.0.scan(request, has_boundary)).map(Some),
            None => Some(None),
        };
        let principal = match applies.principal {
            Ok(()) => undenied(policies.principal.layered.scan(request, has_boundary))?,
            Err(_) => Scan::default(),
        };
        Some(Self {
            principal,
            resource: set(policies.resource.set())?.unwrap_or_default(),
            service_control: guardrails(policies.service_control, applies.service_control)?,
            resource_control: guardrails(policies.resource_control, applies.resource_control)?,
            endpoint: set(policies.endpoint)?,
        })
    }
}
