//! A delegation request, and how it goes from one state to the next: nowhere else is any of that decided (IAM user guide,
//! `temporary-delegation-building-integration`, "Understanding the Request Lifecycle").

use daypass_model::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::partner::Partner;
use super::template::Parameter;
use crate::session::Session;

/// A request that nobody has taken on is there for a day, and in any other state for a week ("Expiration Path").
const UNASSIGNED_SECONDS: i64 = 24 * 3600;
const WAITING_SECONDS: i64 = 7 * 24 * 3600;
/// So long a request that expired is still shown ("Expired requests are eventually deleted from the system after the retention
/// period", which AWS does not name).
const RETENTION_SECONDS: i64 = 7 * 24 * 3600;

/// A partner's wish to act in an account for a while.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegationRequest {
    /// `dr-…`: who knows it can take on a request that is directed to nobody.
    pub id: String,
    /// What is asked for, by whom.
    pub asked: Asked,
    /// The account that it is directed to, or that took it on.
    pub owner_account: Option<AccountId>,
    /// Who took it on.
    pub owner: Option<Owner>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it expires; of one that has, when it is forgotten.
    pub expires: Timestamp,
    /// What its owner told who decides.
    pub notes: Option<String>,
    stage: Stage,
}

/// What a partner asks for: it never changes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The partner's account.
    pub requestor: AccountId,
    /// Which [`Partner`] it was: one that is taken on again is another.
    #[serde(default)]
    pub generation: String,
    /// The partner's name.
    pub requestor_name: String,
    /// What the partner calls the request: its own alone.
    pub workflow: String,
    /// What it is for.
    pub description: String,
    /// What the partner says this time.
    pub message: Option<String>,
    /// The template that its policy was made of.
    pub template: String,
    /// And what was put into it.
    pub parameters: Vec<Parameter>,
    /// What the partner wants to be able to do: a policy.
    pub policy: String,
    /// Whether it lets roles be made.
    pub makes_roles: bool,
    /// The boundaries of which one has to be on each of them.
    pub boundaries: Vec<String>,
    /// Where the customer goes on.
    pub redirect_url: Option<String>,
    /// The topic that is told.
    pub channel: String,
    /// How long the sessions last, all together.
    pub session_seconds: i32,
    /// Whether nobody but the owner of the request sends the token.
    pub only_send_by_owner: bool,
}

impl Asked {
    /// Whether that partner asked for it.
    #[must_use]
    pub fn is_of(&self, partner: &Partner) -> bool {
        self.requestor == partner.account && self.generation == partner.generation
    }
}

/// Who took a request on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Its ARN.
    pub arn: String,
    /// Its unique id: who comes later under the same name is somebody else.
    pub user_id: String,
}

/// Who accepted a request, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Its ARN.
    pub arn: String,
    /// The session that those of the partner are like.
    pub session: Session,
}

/// A token that was sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The SHA-256 of its secret.
    pub digest: [u8; 32],
    /// When it was sent: from then on the sessions count.
    pub at: Timestamp,
    /// When all sessions end.
    pub until: Timestamp,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Stage {
    Unassigned,
    Assigned,
    PendingApproval,
    Accepted { approver: Box<Approver> },
    Finalized { approver: Box<Approver>, sent: Sent },
    Rejected { reason: Option<String> },
    Expired,
}

/// The state of a request, as AWS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// Nobody has taken it on.
    Unassigned,
    /// Somebody has.
    Assigned,
    /// Whoever took it on asks somebody else to decide.
    PendingApproval,
    /// It was accepted, and the token not sent.
    Accepted,
    /// The token was sent.
    Finalized,
    /// It was rejected.
    Rejected,
    /// It had its time.
    Expired,
}

impl RequestState {
    /// `PENDING_APPROVAL`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Assigned => "ASSIGNED",
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Accepted => "ACCEPTED",
            Self::Finalized => "FINALIZED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// A request does not go that way from where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a request in state {} does not go there", .0.as_str())]
pub struct WrongState(pub RequestState);

impl DelegationRequest {
    /// A request that nobody has taken on, directed to an account or to none.
    #[must_use]
    pub fn new(id: String, asked: Asked, owner_account: Option<AccountId>, now: Timestamp) -> Self {
        Self {
            id,
            asked,
            owner_account,
            owner: None,
            created: now,
            updated: now,
            expires: now.plus_seconds(UNASSIGNED_SECONDS),
            notes: None,
            stage: Stage::Unassigned,
        }
    }

    /// The state that is recorded.
    fn recorded(&self) -> RequestState {
        match self.stage {
            Stage::Unassigned => RequestState::Unassigned,
            Stage::Assigned => RequestState::Assigned,
            Stage::PendingApproval => RequestState::PendingApproval,
            Stage::Accepted { .. } => RequestState::Accepted,
            Stage::Finalized { .. } => RequestState::Finalized,
            Stage::Rejected { .. } => RequestState::Rejected,
            Stage::Expired => RequestState::Expired,
        }
    }

    /// The state that it is in now: whatever is recorded, it has expired when its time is over.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> RequestState {
        if self.expires <= now { RequestState::Expired } else { self.recorded() }
    }

    /// Who accepted it.
    #[must_use]
    pub fn approver(&self) -> Option<&Approver> {
        match &self.stage {
            Stage::Accepted { approver } | Stage::Finalized { approver, .. } => Some(approver),
            _ => None,
        }
    }

    /// The token that was sent, and on whose behalf.
    #[must_use]
    pub fn sent(&self) -> Option<(&Approver, &Sent)> {
        match &self.stage {
            Stage::Finalized { approver, sent } => Some((approver, sent)),
            _ => None,
        }
    }

    /// Why it was rejected.
    #[must_use]
    pub fn rejection(&self) -> Option<&str> {
        match &self.stage {
            Stage::Rejected { reason } => reason.as_deref(),
            _ => None,
        }
    }

    fn go(&mut self, to: Stage, now: Timestamp) {
        self.stage = to;
        self.updated = now;
        self.expires = now.plus_seconds(WAITING_SECONDS);
    }

    /// Somebody of an account takes it on.
    ///
    /// # Errors
    /// If somebody has.
    pub fn associate(&mut self, account: AccountId, owner: Owner, now: Timestamp) -> Result<(), WrongState> {
        match self.state(now) {
            RequestState::Unassigned => {
                (self.owner_account, self.owner) = (Some(account), Some(owner));
                self.go(Stage::Assigned, now);
                Ok(())
            }
            state => Err(WrongState(state)),
        }
    }

    /// Whoever took it on asks somebody else to decide; or says more about it.
    ///
    /// # Errors
    /// If it was decided, or nobody took it on.
    pub fn forward(&mut self, notes: Option<String>, now: Timestamp) -> Result<(), WrongState> {
        match self.state(now) {
            RequestState::Assigned | RequestState::PendingApproval => {
                self.notes = notes.or_else(|| self.notes.take());
                self.go(Stage::PendingApproval, now);
                Ok(())
            }
            state => Err(WrongState(state)),
        }
    }

    /// It is accepted.
    ///
    /// # Errors
    /// If it was decided, or nobody took it on.
    pub fn accept(&mut self, approver: Approver, now: Timestamp) -> Result<(), WrongState> {
        match self.state(now) {
            RequestState::Assigned | RequestState::PendingApproval => {
                self.go(Stage::Accepted { approver: Box::new(approver) }, now);
                Ok(())
            }
            state => Err(WrongState(state)),
        }
    }

    /// It is rejected, also after it was accepted, until the token is sent.
    ///
    /// # Errors
    /// If it cannot be any more, or nobody took it on.
    pub fn reject(&mut self, reason: Option<String>, now: Timestamp) -> Result<(), WrongState> {
        match self.state(now) {
            RequestState::Assigned | RequestState::PendingApproval | RequestState::Accepted => {
                self.go(Stage::Rejected { reason }, now);
                Ok(())
            }
            state => Err(WrongState(state)),
        }
    }

    /// The token is sent: the time of the sessions begins.
    ///
    /// # Errors
    /// If it was not accepted.
    pub fn finalize(&mut self, digest: [u8; 32], now: Timestamp) -> Result<Sent, WrongState> {
        match (self.state(now), &self.stage) {
            (RequestState::Accepted, Stage::Accepted { approver }) => {
                let at = now.truncated();
                let sent = Sent { digest, at, until: at.plus_seconds(i64::from(self.asked.session_seconds)) };
                let approver = approver.clone();
                self.go(Stage::Finalized { approver, sent: sent.clone() }, now);
                Ok(sent)
            }
            (state, _) => Err(WrongState(state)),
        }
    }

    /// Its time is over: it has expired, and is shown for a while as such. `false` if it has expired before: it is to be
    /// forgotten.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        if matches!(self.stage, Stage::Expired) {
            return false;
        }
        self.stage = Stage::Expired;
        self.updated = now;
        self.expires = now.plus_seconds(RETENTION_SECONDS);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionPrincipal;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn request() -> DelegationRequest {
        let asked = Asked {
            requestor: "444455556666".parse().unwrap(),
            generation: String::new(),
            requestor_name: "Example".into(),
            workflow: "workflow".into(),
            description: String::new(),
            message: None,
            template: String::new(),
            parameters: vec![],
            policy: "{}".into(),
            makes_roles: false,
            boundaries: vec![],
            redirect_url: None,
            channel: String::new(),
            session_seconds: 3600,
            only_send_by_owner: false,
        };
        DelegationRequest::new("dr-1".into(), asked, None, at(0))
    }

    type Step = fn(&mut DelegationRequest, Timestamp) -> Result<(), WrongState>;

    const STEPS: [(&str, Step); 5] = [
        ("associate", |request, now| {
            request.associate(account(), Owner { arn: "a".into(), user_id: "i".into() }, now)
        }),
        ("forward", |request, now| request.forward(None, now)),
        ("accept", |request, now| {
            let principal = SessionPrincipal::User { name: "n".into(), id: "i".into() };
            let session = Session::plain(account(), principal, now, now);
            request.accept(Approver { arn: "a".into(), session }, now)
        }),
        ("reject", |request, now| request.reject(None, now)),
        ("send", |request, now| request.finalize([0; 32], now).map(|_| ())),
    ];

    /// The request after some steps.
    fn after(steps: &[&str]) -> DelegationRequest {
        let mut request = request();
        for name in steps {
            let (_, step) = STEPS.iter().find(|(known, _)| known == name).unwrap();
            step(&mut request, at(1)).unwrap();
        }
        request
    }

    #[test]
    fn from_each_state_it_goes_where_aws_says_and_nowhere_else() {
        let table: [(&[&str], RequestState, &[&str]); 6] = [
            (&[], RequestState::Unassigned, &["associate"]),
            (&["associate"], RequestState::Assigned, &["forward", "accept", "reject"]),
            (&["associate", "forward"], RequestState::PendingApproval, &["forward", "accept", "reject"]),
            (&["associate", "accept"], RequestState::Accepted, &["reject", "send"]),
            (&["associate", "accept", "send"], RequestState::Finalized, &[]),
            (&["associate", "reject"], RequestState::Rejected, &[]),
        ];
        for (steps, state, allowed) in table {
            assert_eq!(after(steps).state(at(2)), state);
            for (name, step) in STEPS {
                let mut request = after(steps);
                let went = step(&mut request, at(2));
                let expected = if allowed.contains(&name) { Ok(()) } else { Err(WrongState(state)) };
                assert_eq!(went, expected, "{name} from {state:?}");
                // Nothing goes anywhere when its time is over.
                let mut late = after(steps);
                let over = late.expires;
                assert_eq!(step(&mut late, over), Err(WrongState(RequestState::Expired)), "{name}");
            }
        }
    }

    #[test]
    fn a_request_lives_for_a_day_and_from_then_on_for_a_week_at_a_time() {
        assert_eq!(request().expires, at(24 * 3600));
        for steps in [&["associate"][..], &["associate", "accept", "send"], &["associate", "reject"]] {
            assert_eq!(after(steps).expires, at(1 + 7 * 24 * 3600), "{steps:?}");
        }
    }

    #[test]
    fn the_time_of_the_sessions_begins_when_the_token_is_sent() {
        let mut request = after(&["associate", "accept"]);
        let sent = request.finalize([7; 32], at(100)).unwrap();
        assert_eq!((sent.at, sent.until), (at(100), at(3700)));
        assert_eq!(request.sent().map(|(_, sent)| sent.digest), Some([7; 32]));
    }
}
