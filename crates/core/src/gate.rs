//! One request through the gate: which operation, who asks, what is asked; then the decision, the effect, the audit
//! record and the answer. There is no other way to an operation.

mod claimed;
mod form;
mod reading;
mod watching;
mod website;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use daypass_model::{Operation, Protocol, Service, Value};
use daypass_store::TransactError;
use daypass_wire::sigv4::{BodyKind, Claim, Expected, PayloadVerifier, RequestHead, SigError};
use daypass_wire::{Answer, Fault, Form, Protocols, Routed};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body as _;

use self::claimed::{claimed_key, claimed_service, claims_access_analyzer};
use self::reading::{body_kind, directed, family, is_region, read_form, service_of, signature_fault};
use self::watching::Found;
use self::website::write_refusal;
use crate::audit::Call;
use crate::authenticate::{Subject, Unauthenticated, authenticate};
use crate::caller::Caller;
use crate::check::{Check, Checks};
use crate::cx::{Cx, Peer, Trail, Website};
use crate::document::{Documents, Held};
use crate::error::{Error, internal_failure};
use crate::ids::Ids;
use crate::last_used::LastUsed;
use crate::observer::Observer;
use crate::operation::{Effect, Entry, is_dry_run};
use crate::payload::{Body, Payload, full};
use crate::state::State;
use crate::surroundings::random;

/// Characters that are told of the name of what is no operation: longer than any that is one.
const MAX_UNKNOWN: usize = 128;

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    state: Arc<State>,
    entries: Arc<HashMap<(&'static str, &'static str), &'static Entry>>,
    /// Those for visitors of websites, by their operations' names.
    pages: Arc<HashMap<&'static str, &'static Entry>>,
    last_used: Arc<LastUsed>,
    documents: Documents,
    observer: Option<Arc<dyn Observer>>,
}

/// What is known of a request before its operation.
struct Arrival {
    head: Parts,
    peer: Peer,
    ids: Ids,
    request_id: String,
    event_id: String,
    now: daypass_model::Timestamp,
    user_agent: String,
    website: Option<Website>,
}

/// A request whose operation is known and whose signature was verified.
struct Admitted {
    caller: Caller,
    message: Message,
}

/// What the request says.
struct Message {
    routed: Routed,
    form: Option<Form>,
    /// The fields of a form with a file.
    fields: Option<Vec<(String, String)>>,
    body: Arrived,
    /// The memory of a body that is held whole.
    held: Held,
}

/// The body, as far as it has been read.
enum Arrived {
    Whole(Bytes),
    Streaming(Box<Payload>),
}

/// Why a request ended at the gate.
struct Refused {
    service: &'static Service,
    operation: Option<&'static Operation>,
    /// What was asked for, where it is no operation.
    unknown: String,
    claimed_key: Option<String>,
    region: Option<String>,
    fault: Fault,
}

impl Gate {
    /// The gate of a server, with the operations that it implements.
    #[must_use]
    pub fn new(state: Arc<State>, entries: impl IntoIterator<Item = &'static Entry>) -> Self {
        let (pages, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.for_websites);
        let pages = pages.into_iter().map(|entry| (entry.operation().name, entry));
        let entries = entries.into_iter().map(|entry| {
            let operation = entry.operation();
            ((operation.service.name, operation.name), entry)
        });
        Self {
            state,
            entries: Arc::new(entries.collect()),
            pages: Arc::new(pages.collect()),
            last_used: Arc::default(),
            documents: Documents::default(),
            observer: None,
        }
    }

    /// The same, with somebody who sees the requests to buckets.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// What the server stands on.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The operations that are implemented.
    pub fn implemented(&self) -> impl Iterator<Item = &'static Operation> + '_ {
        self.entries.values().map(|entry| entry.operation())
    }

    /// Writes when roles and access keys were last used; to be called every few seconds.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write_last_used(&self) -> Result<(), daypass_store::StoreError> {
        self.last_used.write(&self.state.store).await
    }

    /// Answers one request.
    pub fn serve(
        &self,
        peer: Peer,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        let gate = self.clone();
        Box::pin(async move { gate.answer(peer, request).await })
    }

    async fn answer(&self, peer: Peer, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let arrival = self.arrive(head, peer);
        let is_head = arrival.head.method == http::Method::HEAD;
        let watched = self.watch(&arrival, body.size_hint().exact());
        let response = match self.admit(&arrival, body).await {
            Ok(admitted) => self.run(arrival, admitted).await,
            Err(refused) => self.refuse(&arrival, *refused, is_head).await,
        };
        match watched {
            Some(watched) => watched.answered(response),
            None => response,
        }
    }

    fn arrive(&self, head: Parts, peer: Peer) -> Arrival {
        let ids = Ids::new(random(&*self.state.entropy));
        let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
        let host = text("host");
        let website = self.state.hosts.website_of(&host).map(|(bucket, region)| Website {
            bucket: bucket.to_owned(),
            region: region.map(str::to_owned),
            host: host.clone(),
        });
        let now = self.state.clock.now();
        Arrival {
            website,
            request_id: ids.uuid_of(now),
            event_id: ids.uuid_of(now),
            now,
            user_agent: text("user-agent"),
            head,
            peer,
            ids,
        }
    }

    /// Finds the operation and verifies the signature.
    async fn admit(&self, arrival: &Arrival, body: Body) -> Result<Admitted, Box<Refused>> {
        let head = &arrival.head;
        let protocols = daypass_wire::protocol_of(head, claims_access_analyzer(head));
        let claimed = claimed_key(head);
        let refuse = |service: &'static Service, operation, unknown: &str, fault| {
            Box::new(Refused {
                service,
                operation,
                unknown: unknown.chars().take(MAX_UNKNOWN).collect(),
                claimed_key: claimed.clone(),
                region: None,
                fault,
            })
        };
        let guess = service_of(protocols, head);
        directed(head, guess).map_err(|fault| refuse(guess, None, "", fault))?;
        if let Some(site) = &arrival.website {
            let admitted = self.admit_visitor(arrival, site, body);
            return admitted.map_err(|(operation, fault)| refuse(website::service(), operation, "", fault));
        }
        let mut held = self.documents.hold();
        let (whole, stream) = match protocols {
            Protocols::S3 => (Bytes::new(), Some(body)),
            _ => (held.read(body).await.map_err(|fault| refuse(guess, None, "", fault))?, None),
        };
        let form = match read_form(protocols, head, &whole) {
            Ok(form) => form,
            Err(fault) => {
                let (service, fault) = self.unreadable(arrival, guess, stream, whole, fault).await;
                return Err(refuse(service, None, "", fault));
            }
        };
        let action = form.as_ref().and_then(|f| f.text("Action")).unwrap_or("").to_owned();
        let routed = match daypass_wire::route(protocols, head, form.as_ref(), &self.state.hosts) {
            Ok(routed) => routed,
            Err(fault) => {
                let (service, fault) = self.unreadable(arrival, guess, stream, whole, fault).await;
                return Err(refuse(service, None, &action, fault));
            }
        };
        let operation = routed.operation;
        let stream = match (stream, operation.name) {
            (Some(body), "PostObject") => {
                let admitted = self.admit_form(arrival, routed, body).await;
                return admitted.map_err(|fault| refuse(operation.service, Some(operation), "", fault));
            }
            (Some(_), "OptionsObject") => return Ok(preflight(routed, held)),
            (stream, _) => stream,
        };
        let subject = Subject::Whole(&whole);
        let subject = if stream.is_some() { Subject::Head(body_kind(operation)) } else { subject };
        let (caller, verifier) = self
            .authenticate(arrival, operation.service, operation.unsigned, &subject)
            .map_err(|fault| refuse(operation.service, Some(operation), "", fault))?;
        let body = match (stream, verifier) {
            (Some(stream), Some(verifier)) => {
                let length = stream.size_hint().exact();
                Arrived::Streaming(Box::new(Payload::new(stream, verifier, length)))
            }
            _ => Arrived::Whole(whole),
        };
        Ok(Admitted { caller, message: Message { routed, form, fields: None, body, held } })
    }

    fn expected<'a>(&'a self, arrival: &'a Arrival, service: &'static Service) -> Expected<'a> {
        let now = time::OffsetDateTime::from_unix_timestamp(arrival.now.seconds());
        let host = arrival.head.headers.get("host").and_then(|v| v.to_str().ok());
        Expected {
            service: service.signing_name,
            regions: &is_region,
            home_region: &self.state.region,
            bucket_in_host: host.and_then(|host| self.state.hosts.bucket_of(host)),
            now: now.unwrap_or(time::OffsetDateTime::UNIX_EPOCH),
        }
    }

    fn authenticate(
        &self,
        arrival: &Arrival,
        service: &'static Service,
        may_be_unsigned: bool,
        subject: &Subject<'_>,
    ) -> Result<(Caller, Option<PayloadVerifier>), Fault> {
        let family = family(service);
        let head = RequestHead::from(&arrival.head);
        let refuse = |error: SigError| signature_fault(&error, family);
        let Some(claim) = Claim::parse(head, family).map_err(refuse)? else {
            return match subject {
                Subject::Head(kind) => {
                    let verifier =
                        PayloadVerifier::anonymous(&arrival.head.headers, *kind).map_err(refuse)?;
                    Ok((Caller::anonymous(), Some(verifier)))
                }
                Subject::Whole(_) if may_be_unsigned => Ok((Caller::anonymous(), None)),
                Subject::Whole(_) => Err(refuse(SigError::MissingAuthentication)),
            };
        };
        let expected = self.expected(arrival, service);
        authenticate(&self.state, &claim, subject, &expected).map_err(|error| match error {
            Unauthenticated::Signature(error) => signature_fault(&error, family),
            Unauthenticated::Failed(error) => self.failure(service, error),
        })
    }

    /// Why a request that names no operation is refused, and by which service. What is wrong with it is told only to who
    /// signed it: a request that was changed on its way must not be taken for one that its sender made wrong.
    async fn unreadable(
        &self,
        arrival: &Arrival,
        guess: &'static Service,
        stream: Option<Body>,
        whole: Bytes,
        fault: Fault,
    ) -> (&'static Service, Fault) {
        let service = claimed_service(&arrival.head).unwrap_or(guess);
        match Claim::parse(RequestHead::from(&arrival.head), family(service)) {
            Ok(Some(_)) => {}
            // Nobody in particular may do nothing in particular.
            Ok(None) if guess.name == "s3" => {
                return (guess, Fault::coded("AccessDenied", 403, "Access Denied"));
            }
            Ok(None) => return (guess, fault),
            Err(error) => return (service, signature_fault(&error, family(service))),
        }
        let whole = match stream {
            Some(body) if service.name != "s3" => match self.documents.hold().read(body).await {
                Ok(whole) => whole,
                Err(fault) => return (service, fault),
            },
            _ => whole,
        };
        let subject = match service.name {
            "s3" => Subject::Head(BodyKind::Document),
            _ => Subject::Whole(&whole),
        };
        match self.authenticate(arrival, service, false, &subject) {
            Ok(_) => (guess, fault),
            Err(refused) => (service, refused),
        }
    }

    /// What the caller is told of an error.
    fn failure(&self, service: &'static Service, error: Error) -> Fault {
        match error {
            Error::Fault(fault) => *fault,
            Error::Internal(error) => {
                tracing::error!(%error, service = service.name, "a request failed");
                internal_failure(service)
            }
        }
    }

    async fn run(&self, arrival: Arrival, admitted: Admitted) -> Response<Body> {
        let Admitted { caller, message } = admitted;
        let says_it_pays =
            says_it_pays(&arrival.head) || message.fields.as_deref().is_some_and(form_says_it_pays);
        let operation = message.routed.operation;
        let region = caller.proof().and_then(|p| p.region()).unwrap_or(&self.state.region).to_owned();
        let text =
            |name: &str| arrival.head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (origin, asked_method) = (text("origin"), text("access-control-request-method"));
        let referer = text("referer");
        let asks_for_encryption = arrival.head.headers.contains_key("x-amz-server-side-encryption");
        let mut head = arrival.head;
        let cx = Cx {
            state: Arc::clone(&self.state),
            caller,
            vouched: OnceLock::new(),
            peer: arrival.peer,
            service: None,
            operation,
            region,
            served: OnceLock::new(),
            now: arrival.now,
            request_id: if operation.service.protocol == Protocol::RestXml {
                arrival.ids.s3_request_id(arrival.now)
            } else {
                arrival.request_id
            },
            event_id: arrival.event_id,
            user_agent: arrival.user_agent,
            referer,
            origin,
            asked_method,
            requester_pays: arrival.website.is_none() && says_it_pays,
            asks_for_encryption,
            website: arrival.website,
            ids: arrival.ids,
            input: OnceLock::new(),
            trail: Mutex::new(Trail::default()),
        };
        self.last_used.note(&cx);
        if cx.website.is_some() {
            // A query asks a website for nothing.
            head.uri = head.uri.path().parse().unwrap_or_default();
        }
        let is_head = head.method == http::Method::HEAD;
        match self.perform(&cx, &head, message).await {
            Ok(mut response) => {
                for (name, value) in std::mem::take(&mut cx.trail().on_answer) {
                    if let Ok(value) = value.parse() {
                        response.headers_mut().insert(name, value);
                    }
                }
                self.found(response, || Found::of(&cx, None))
            }
            Err(error) => {
                let mut fault = self.failure(operation.service, error);
                fault.headers.append(&mut cx.trail().on_answer);
                fault.headers.append(&mut cx.trail().on_refusal);
                let record = Call::of(&cx).record(Err(&fault), &cx.trail());
                let response = match self.state.store.record(record).await {
                    Ok(()) => {
                        let (site, id) = (cx.website.is_some(), &cx.request_id);
                        respond(write_refusal(site, operation.service, &fault, id, is_head), None)
                    }
                    Err(error) => self.unaudited(operation.service, &cx.request_id, &error, is_head),
                };
                self.found(response, || Found::of(&cx, Some(fault.code.into_owned())))
            }
        }
    }

    /// Reads the input, then does what the operation does.
    async fn perform(&self, cx: &Cx, head: &Parts, message: Message) -> Result<Response<Body>, Error> {
        let Message { routed, form, fields, body, mut held } = message;
        let operation = cx.operation;
        let streams =
            operation.input.payload.and_then(|i| operation.input.member(i)).is_some_and(|m| m.streaming);
        let (document, payload) = match body {
            Arrived::Whole(bytes) => (bytes, None),
            Arrived::Streaming(payload) if streams => (Bytes::new(), Some(payload)),
            Arrived::Streaming(mut payload) => (held.read_xml(&mut payload).await?, Some(payload)),
        };
        if operation.checksum_required && payload.as_ref().is_some_and(|p| !p.declares_integrity()) {
            let words = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
            return Err(Fault::coded("InvalidRequest", 400, words).into());
        }
        let value = match &fields {
            Some(fields) => daypass_wire::read_fields(&routed, fields)?,
            None => daypass_wire::read_input(&routed, head, form.as_ref(), &document)?,
        };
        let value = cx.input.get_or_init(|| value).clone();
        let entry = match cx.website.as_ref().and_then(|_| self.pages.get(operation.name)) {
            Some(page) => Some(page),
            None => self.entries.get(&(operation.service.name, operation.name)),
        };
        let Some(entry) = entry else {
            return Err(self.not_built(cx, &value));
        };
        match (entry.effect, payload) {
            (Effect::Prepared(effect), _) => {
                let output = effect(cx, value).await?;
                Ok(respond(daypass_wire::write_output(operation, &output, &cx.request_id), None))
            }
            (Effect::Transaction(effect), _) => self.transact(cx, effect, value).await,
            (Effect::Stream(effect), Some(payload)) => {
                let answered = effect(cx, value, *payload).await?;
                // The record of a change commits with the change; here, of objects.
                let noted = cx.trail().noted;
                if !noted {
                    let outcome = match &answered.refusal {
                        Some(fault) => Err(&**fault),
                        None => Ok(&answered.output),
                    };
                    let record = Call::of(cx).record(outcome, &cx.trail());
                    self.state.store.record(record).await?;
                }
                let mut answer = daypass_wire::write_output(operation, &answered.output, &cx.request_id);
                answer.status = answered.status.unwrap_or(answer.status);
                Ok(respond(answer, answered.body))
            }
            (Effect::Stream(_), None) => Err(cx.internal_failure().into()),
        }
    }

    async fn transact(
        &self,
        cx: &Cx,
        effect: fn(&Cx, &mut daypass_store::Tx<'_>, Value) -> Result<Value, Error>,
        value: Value,
    ) -> Result<Response<Body>, Error> {
        let outcome = self.state.store.transact(|tx| {
            cx.ids.restart();
            cx.trail().restart();
            let output = effect(cx, tx, value.clone())?;
            // The record of a change commits with the change.
            tx.audit(Call::of(cx).record(Ok(&output), &cx.trail()));
            Ok(output)
        });
        match outcome.await {
            Ok(output) => {
                Ok(respond(daypass_wire::write_output(cx.operation, &output, &cx.request_id), None))
            }
            Err(TransactError::Aborted(error)) => Err(error),
            Err(TransactError::Store(error)) => Err(error.into()),
        }
    }

    /// An operation that is not built is authorised all the same, and then names itself.
    fn not_built(&self, cx: &Cx, value: &Value) -> Error {
        let operation = cx.operation;
        if let Err(error) = cx.authorize(&Checks::from(Check::on_all(operation.action))) {
            return error;
        }
        if is_dry_run(operation, value) {
            // It would not have succeeded.
            tracing::debug!(operation = operation.name, "a dry run of what is not built");
        }
        let (service, name) = (operation.service.name, operation.name);
        let words = format!("{service}:{name} is not implemented by Daypass.");
        match operation.service.protocol {
            Protocol::RestXml => Fault::coded("NotImplemented", 501, words).into(),
            Protocol::Ec2 => Fault::coded("UnsupportedOperation", 400, words).into(),
            Protocol::Query => Fault::coded("NotImplemented", 501, words).into(),
            Protocol::Json | Protocol::RestJson => Fault::coded("NotImplementedException", 501, words).into(),
        }
    }

    async fn refuse(&self, arrival: &Arrival, refused: Refused, is_head: bool) -> Response<Body> {
        let request_id = if refused.service.protocol == Protocol::RestXml {
            arrival.ids.s3_request_id(arrival.now)
        } else {
            arrival.request_id.clone()
        };
        let record = Call {
            event_id: &arrival.event_id,
            request_id: &request_id,
            time: arrival.now,
            region: refused.region.as_deref().unwrap_or(&self.state.region),
            account: self.state.account.as_str(),
            peer: &arrival.peer,
            user_agent: &arrival.user_agent,
            operation: refused.operation,
            unknown: &refused.unknown,
            caller: None,
            service: None,
            claimed_key: refused.claimed_key.as_deref(),
            input: None,
        }
        .record(Err(&refused.fault), &Trail::default());
        let response = match self.state.store.record(record).await {
            Ok(()) => {
                let site = arrival.website.is_some();
                respond(write_refusal(site, refused.service, &refused.fault, &request_id, is_head), None)
            }
            Err(error) => self.unaudited(refused.service, &request_id, &error, is_head),
        };
        self.found(response, || Found::refused(refused.operation.map(|o| o.name), &refused.fault.code))
    }

    /// What cannot be audited is not answered.
    fn unaudited(
        &self,
        service: &'static Service,
        request_id: &str,
        error: &daypass_store::StoreError,
        is_head: bool,
    ) -> Response<Body> {
        tracing::error!(%error, "a request could not be audited");
        respond(daypass_wire::write_fault(service, &internal_failure(service), request_id, is_head), None)
    }
}

/// A preflight request: a browser sends it without credentials, and its answer depends on nobody's rights. A signature in
/// the query is that of the request to come.
fn preflight(routed: Routed, held: Held) -> Admitted {
    let body = Arrived::Whole(Bytes::new());
    Admitted {
        caller: Caller::anonymous(),
        message: Message { routed, form: None, fields: None, body, held },
    }
}

/// The same of a form's sender (S3 user guide, "Using Requester Pays general purpose buckets": in the body of a POST).
fn form_says_it_pays(fields: &[(String, String)]) -> bool {
    fields.iter().any(|(name, value)| name == "x-amz-request-payer" && value == "requester")
}

/// Whether the requester of an object says that it pays.
fn says_it_pays(head: &Parts) -> bool {
    let in_query =
        head.uri.query().unwrap_or("").split('&').any(|pair| pair == "x-amz-request-payer=requester");
    in_query || head.headers.get("x-amz-request-payer").is_some_and(|value| value == "requester")
}

fn respond(answer: Answer, body: Option<Body>) -> Response<Body> {
    let mut response = Response::new(body.unwrap_or_else(|| full(answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}
