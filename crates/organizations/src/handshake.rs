//! Handshakes: what one account asks of another, and how the other answers. `DescribeHandshake`, `AcceptHandshake`,
//! `DeclineHandshake`, `CancelHandshake`, `ListHandshakesForAccount`, `ListHandshakesForOrganization`.

use daypass_core::model::organizations::{
    AcceptHandshakeRequest, AcceptHandshakeResponse, ActionType, CancelHandshakeRequest,
    CancelHandshakeResponse, DeclineHandshakeRequest, DeclineHandshakeResponse, DescribeHandshakeRequest,
    DescribeHandshakeResponse, HandshakeFilter, HandshakeState, ListHandshakesForAccountRequest,
    ListHandshakesForAccountResponse, ListHandshakesForOrganizationRequest,
    ListHandshakesForOrganizationResponse, ops,
};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::records::{Organization, Tag};
use daypass_core::store::{Key, Prefix, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Quota, operation};
use serde::{Deserialize, Serialize};

use crate::fault::{already_in_state, handshake_constraint, no_handshake, no_transition, not_permitted};
use crate::paging::page;
use crate::{all_features, handshake_view, home, invitation};

operation!(
    DESCRIBE_HANDSHAKE,
    ops::DescribeHandshake,
    |cx, tx, input| checks(cx, tx, &input.handshake_id),
    describe
);
operation!(
    ACCEPT_HANDSHAKE,
    ops::AcceptHandshake,
    |cx, tx, input| checks(cx, tx, &input.handshake_id),
    accept
);
operation!(
    DECLINE_HANDSHAKE,
    ops::DeclineHandshake,
    |cx, tx, input| checks(cx, tx, &input.handshake_id),
    decline
);
operation!(
    CANCEL_HANDSHAKE,
    ops::CancelHandshake,
    |cx, tx, input| checks(cx, tx, &input.handshake_id),
    cancel
);
operation!(
    LIST_HANDSHAKES_FOR_ACCOUNT,
    ops::ListHandshakesForAccount,
    |cx, tx, _| home::checks(cx, tx, &[]),
    list_for_account
);
operation!(
    LIST_HANDSHAKES_FOR_ORGANIZATION,
    ops::ListHandshakesForOrganization,
    |cx, tx, _| home::checks(cx, tx, &[]),
    list_for_organization
);

/// Something that was asked, in the organization that asked it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handshake {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) management_account: AccountId,
    pub(crate) action: Action,
    /// The account that has to answer; of what an organization asks of itself, the management account.
    pub(crate) account: AccountId,
    /// The address that the invitation was sent to, where it was not sent to a number.
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) notes: Option<String>,
    /// The tags that the account gets when it joins.
    #[serde(default)]
    pub(crate) tags: Vec<Tag>,
    pub(crate) state: State,
    pub(crate) requested: Timestamp,
    pub(crate) expires: Timestamp,
    /// When it was answered or cancelled.
    #[serde(default)]
    pub(crate) ended: Option<Timestamp>,
    /// The handshake that this one is a part of.
    #[serde(default)]
    pub(crate) parent: Option<String>,
}

/// What ended is told of for thirty days (API reference, Handshake).
const KEPT_SECONDS: i64 = 30 * 86_400;

/// So much may be asked in a day, or as often as there may be accounts, if that is more (user guide,
/// `orgs_reference_limits`).
const A_DAY: usize = 20;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// To join.
    Invite,
    /// To have all features.
    EnableAllFeatures,
    /// To be in an organization that has all features.
    ApproveAllFeatures,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Others have to answer first.
    Requested,
    /// It waits for its answer.
    Open,
    Canceled,
    Accepted,
    Declined,
}

impl Handshake {
    fn key_of(id: &str) -> Key {
        Key::new(&["organization-handshake", id])
    }

    /// Where all handshakes stand.
    pub(crate) fn all() -> Prefix {
        Prefix::new(&["organization-handshake"])
    }

    /// Ends it.
    pub(crate) fn end(&mut self, state: State, now: Timestamp) {
        (self.state, self.ended) = (state, Some(now));
    }

    /// Whether it still waits for an answer, its own or others'.
    pub(crate) fn is_pending(&self, now: Timestamp) -> bool {
        matches!(self.state_at(now), HandshakeState::OPEN | HandshakeState::REQUESTED)
    }

    /// Whether it is still told of.
    fn is_kept(&self, now: Timestamp) -> bool {
        self.ended.unwrap_or(self.expires).plus_seconds(KEPT_SECONDS) > now
    }

    /// How far it is by now.
    pub(crate) fn state_at(&self, now: Timestamp) -> HandshakeState {
        match self.state {
            State::Requested | State::Open if self.expires <= now => HandshakeState::EXPIRED,
            State::Requested => HandshakeState::REQUESTED,
            State::Open => HandshakeState::OPEN,
            State::Canceled => HandshakeState::CANCELED,
            State::Accepted => HandshakeState::ACCEPTED,
            State::Declined => HandshakeState::DECLINED,
        }
    }

    /// `arn:aws:organizations::111111111111:handshake/o-exampleorgid/invite/h-examplehandshakeid111`.
    pub(crate) fn arn(&self) -> String {
        let action = match self.action {
            Action::Invite => "invite",
            Action::EnableAllFeatures => "enable_all_features",
            Action::ApproveAllFeatures => "approve_all_features",
        };
        format!(
            "arn:aws:organizations::{}:handshake/{}/{action}/{}",
            self.management_account, self.organization, self.id
        )
    }

    pub(crate) fn action_type(&self) -> ActionType {
        match self.action {
            Action::Invite => ActionType::INVITE,
            Action::EnableAllFeatures => ActionType::ENABLEALLFEATURES,
            Action::ApproveAllFeatures => ActionType::APPROVEALLFEATURES,
        }
    }
}

impl Record for Handshake {
    fn key(&self) -> Key {
        Self::key_of(&self.id)
    }
}

fn checks(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Checks, StoreError> {
    Ok(match find(cx, tx, id)? {
        Some(handshake) => Check::new(cx.operation().action, handshake.arn()).into(),
        None => Check::on_all(cx.operation().action).into(),
    })
}

/// Whether it is any of the caller's business.
fn concerns(cx: &Cx, handshake: &Handshake) -> bool {
    let own = cx.account();
    handshake.account == own || handshake.management_account == own
}

fn find(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Option<Handshake>, StoreError> {
    let known = tx.get::<Handshake>(&Handshake::key_of(id))?;
    Ok(known.filter(|handshake| concerns(cx, handshake) && handshake.is_kept(cx.now())))
}

fn load(cx: &Cx, tx: &Tx<'_>, id: &str) -> Result<Handshake, Error> {
    find(cx, tx, id)?.ok_or_else(|| no_handshake().into())
}

fn describe(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DescribeHandshakeRequest,
) -> Result<DescribeHandshakeResponse, Error> {
    let handshake = load(cx, tx, &input.handshake_id)?;
    Ok(DescribeHandshakeResponse { handshake: Some(handshake_view::shown(cx, tx, &handshake)?) })
}

/// The handshake, if it can still come to that state.
fn pending(cx: &Cx, tx: &Tx<'_>, id: &str, to: HandshakeState) -> Result<Handshake, Error> {
    let handshake = load(cx, tx, id)?;
    match handshake.state_at(cx.now()) {
        state if state == to => Err(already_in_state().into()),
        HandshakeState::OPEN => Ok(handshake),
        HandshakeState::REQUESTED if to == HandshakeState::CANCELED => Ok(handshake),
        _ => Err(no_transition().into()),
    }
}

fn accept(cx: &Cx, tx: &mut Tx<'_>, input: AcceptHandshakeRequest) -> Result<AcceptHandshakeResponse, Error> {
    let mut handshake = pending(cx, tx, &input.handshake_id, HandshakeState::ACCEPTED)?;
    if handshake.account != cx.account() {
        return Err(not_permitted().into());
    }
    handshake.end(State::Accepted, cx.now());
    tx.put(&handshake)?;
    match handshake.action {
        Action::Invite => invitation::join(cx, tx, &handshake)?,
        Action::ApproveAllFeatures => all_features::approved(cx, tx, &handshake)?,
        Action::EnableAllFeatures => all_features::enabled(cx, tx, &handshake)?,
    }
    Ok(AcceptHandshakeResponse { handshake: Some(handshake_view::shown(cx, tx, &handshake)?) })
}

fn decline(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: DeclineHandshakeRequest,
) -> Result<DeclineHandshakeResponse, Error> {
    let mut handshake = pending(cx, tx, &input.handshake_id, HandshakeState::DECLINED)?;
    if handshake.account != cx.account() || handshake.action == Action::EnableAllFeatures {
        return Err(not_permitted().into());
    }
    handshake.end(State::Declined, cx.now());
    tx.put(&handshake)?;
    Ok(DeclineHandshakeResponse { handshake: Some(handshake_view::shown(cx, tx, &handshake)?) })
}

fn cancel(cx: &Cx, tx: &mut Tx<'_>, input: CancelHandshakeRequest) -> Result<CancelHandshakeResponse, Error> {
    let mut handshake = pending(cx, tx, &input.handshake_id, HandshakeState::CANCELED)?;
    if handshake.management_account != cx.account() {
        return Err(not_permitted().into());
    }
    handshake.end(State::Canceled, cx.now());
    tx.put(&handshake)?;
    if handshake.action == Action::EnableAllFeatures {
        all_features::cancelled(cx, tx, &handshake)?;
    }
    Ok(CancelHandshakeResponse { handshake: Some(handshake_view::shown(cx, tx, &handshake)?) })
}

fn list_for_account(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListHandshakesForAccountRequest,
) -> Result<ListHandshakesForAccountResponse, Error> {
    let own = cx.account();
    let mut all = kept(cx, tx)?;
    all.retain(|h| {
        h.account == own && h.action != Action::EnableAllFeatures && passes(h, input.filter.as_ref())
    });
    let shown = handshake_view::all_shown(cx, tx, &all)?;
    let (handshakes, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListHandshakesForAccountResponse { handshakes: Some(handshakes), next_token })
}

fn list_for_organization(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListHandshakesForOrganizationRequest,
) -> Result<ListHandshakesForOrganizationResponse, Error> {
    let organization = home::delegated(cx, tx, home::checks(cx, tx, &[])?)?;
    let all = of(cx, tx, &organization)?;
    let all: Vec<Handshake> = all.into_iter().filter(|h| passes(h, input.filter.as_ref())).collect();
    let shown = handshake_view::all_shown(cx, tx, &all)?;
    let (handshakes, next_token) = page(cx, shown, input.next_token.as_deref(), input.max_results)?;
    Ok(ListHandshakesForOrganizationResponse { handshakes: Some(handshakes), next_token })
}

/// All handshakes that are still told of.
fn kept(cx: &Cx, tx: &Tx<'_>) -> Result<Vec<Handshake>, StoreError> {
    let mut all = tx.all::<Handshake>(&Handshake::all())?;
    all.retain(|handshake| handshake.is_kept(cx.now()));
    Ok(all)
}

/// The handshakes that an organization asked for.
pub(crate) fn of(cx: &Cx, tx: &Tx<'_>, organization: &Organization) -> Result<Vec<Handshake>, StoreError> {
    let mut all = kept(cx, tx)?;
    all.retain(|handshake| handshake.organization == organization.id);
    Ok(all)
}

/// Whether an organization may ask for something again. What is no longer told of goes.
///
/// # Errors
/// If it has asked for all that it may within a day.
pub(crate) fn room_for_one(cx: &Cx, tx: &mut Tx<'_>, organization: &Organization) -> Result<(), Error> {
    let all = tx.all::<Handshake>(&Handshake::all())?;
    for gone in all.iter().filter(|handshake| !handshake.is_kept(cx.now())) {
        tx.delete(&gone.key());
    }
    let asked = all.iter().filter(|handshake| {
        // What was accepted does not count, and neither does what one request asks of each account.
        handshake.organization == organization.id
            && handshake.parent.is_none()
            && handshake.state != State::Accepted
            && handshake.requested.plus_seconds(86_400) > cx.now()
    });
    if asked.count() < A_DAY.max(cx.state().quotas.of(Quota::AccountsPerOrganization)) {
        return Ok(());
    }
    let words = "You have exceeded the number of handshakes that you can send in one day.";
    Err(handshake_constraint("HANDSHAKE_RATE_LIMIT_EXCEEDED", words).into())
}

fn passes(handshake: &Handshake, filter: Option<&HandshakeFilter>) -> bool {
    let Some(filter) = filter else { return true };
    filter.action_type.is_none_or(|action| action == handshake.action_type())
        && (filter.parent_handshake_id.is_none() || filter.parent_handshake_id == handshake.parent)
}
