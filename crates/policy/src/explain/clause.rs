//! What AWS tells the caller: one clause that names one layer (`troubleshoot_access-denied`).

use super::Explanation;
use super::layers::{LayerKind, LayerReport, Verdict};
use crate::Resource;
use crate::decide::{Cause, Decision, Exception};

/// Who reads the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Someone of the account, or of its organization: told the layer, and for an explicit denial the ARN of the policy
    /// (since January 2026).
    Organization,
    /// Someone from elsewhere: told nothing.
    Outside,
}

/// Which layer is named where several deny. AWS names one and does not say which; this is the order in which its guide
/// lists them.
const NAMED_FIRST: [LayerKind; 8] = [
    LayerKind::ServiceControl,
    LayerKind::ResourceControl,
    LayerKind::Endpoint,
    LayerKind::Resource,
    LayerKind::Trust,
    LayerKind::Identity,
    LayerKind::Boundary,
    LayerKind::Session,
];

impl Explanation {
    /// The clause that ends AWS's message: `because no identity-based policy allows the s3:GetObject action`, or
    /// `with an explicit deny in a permissions boundary: arn:aws:iam::…`. `None` where the request is allowed, where the
    /// audience is told nothing, and where AWS has no words for the reason.
    pub fn clause(&self, audience: Audience) -> Option<String> {
        if audience == Audience::Outside {
            return None;
        }
        match self.decision {
            Decision::Allowed => None,
            Decision::ExplicitDeny => self.denier().map(explicit),
            Decision::ImplicitDeny => {
                let layer = self.lacking_layer()?;
                (layer != LayerKind::ResourceControl)
                    .then(|| format!("because no {layer} allows the {} action", self.action))
            }
        }
    }

    /// The whole of AWS's message: `User: … is not authorized to perform: … on resource: … because …`. S3 puts the
    /// resource in quotes; an action without a resource has no such part.
    pub fn message(&self, audience: Audience, quote_resource: bool) -> String {
        let resource = match (&*self.resource, quote_resource) {
            ("*" | Resource::EVERY_BUCKET, _) => String::new(),
            (resource, true) => format!(" on resource: \"{resource}\""),
            (resource, false) => format!(" on resource: {resource}"),
        };
        let clause = self.clause(audience).map(|clause| format!(" {clause}")).unwrap_or_default();
        format!("User: {} is not authorized to perform: {}{resource}{clause}", self.principal, self.action)
    }

    /// The first layer that denies.
    pub(super) fn denier(&self) -> Option<&LayerReport> {
        let denies = |kind: LayerKind| {
            move |report: &&LayerReport| report.kind == kind && report.verdict == Verdict::Denies
        };
        NAMED_FIRST.iter().find_map(|kind| self.layers.iter().find(denies(*kind)))
    }

    /// The layer whose silence is the reason.
    pub(super) fn lacking_layer(&self) -> Option<LayerKind> {
        Some(match self.cause? {
            Cause::Identity => LayerKind::Identity,
            Cause::Trust => LayerKind::Trust,
            Cause::Resource => LayerKind::Resource,
            Cause::Boundary => LayerKind::Boundary,
            Cause::Session => LayerKind::Session,
            Cause::ServiceControl => LayerKind::ServiceControl,
            Cause::ResourceControl => LayerKind::ResourceControl,
            Cause::Endpoint => LayerKind::Endpoint,
            Cause::Exception(_) => return None,
        })
    }

    /// The reason in a sentence of ours.
    pub(super) fn sentence(&self) -> String {
        match (self.decision, self.cause) {
            (_, Some(Cause::Exception(exception))) => Exception::reason(exception).to_owned(),
            (Decision::Allowed, Some(Cause::Resource | Cause::Trust)) => {
                "the policy of the resource grants it".to_owned()
            }
            (Decision::Allowed, _)
                if self.layers.iter().any(|layer| layer.kind == LayerKind::Identity && layer.is_root()) =>
            {
                "the root user has every permission of its account".to_owned()
            }
            (Decision::Allowed, _) => {
                "an identity-based policy allows it, and every layer that must".to_owned()
            }
            (Decision::ExplicitDeny, _) => match self.denier() {
                Some(layer) => format!("{} {} denies it", article(layer.kind), layer.kind),
                None => "a policy denies it".to_owned(),
            },
            (Decision::ImplicitDeny, _) => match self.lacking_layer() {
                Some(layer) => format!("no {layer} allows it"),
                None => "no policy allows it".to_owned(),
            },
        }
    }
}

impl LayerReport {
    fn is_root(&self) -> bool {
        matches!(self.verdict, Verdict::NotAsked(_))
    }
}

/// `with an explicit deny in …`, with the ARN of the policy where the layer's messages have it.
fn explicit(layer: &LayerReport) -> String {
    let arn = match layer.kind {
        LayerKind::Endpoint | LayerKind::Resource | LayerKind::Trust => None,
        _ => layer.deciders.first().and_then(|decider| decider.statement.policy.arn()),
    };
    let arn = arn.map(|arn| format!(": {arn}")).unwrap_or_default();
    format!("with an explicit deny in {} {}{arn}", article(layer.kind), layer.kind)
}

fn article(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Identity => "an",
        LayerKind::Trust => "the",
        _ => "a",
    }
}
