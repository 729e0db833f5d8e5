//! A SAML response, held against the provider that is to have issued it: its signature, its time, whom it is for and what it
//! says of whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::federation::saml::{Assertion, DecryptionKey, InvalidResponse, Metadata, Response};
use daypass_core::model::sts::{AssumeRoleWithSAMLRequest, errors};
use daypass_core::model::{AccountId, Timestamp};
use daypass_core::store::Read as _;
use daypass_core::store::records::{AssertionEncryption, SamlPrivateKey, SamlProvider};
use daypass_core::{Cx, Error, Fault, FederationKey, Purpose};

use crate::assume_role_with_saml::{name_qualifier, subject_type};
use crate::federated_role::{self, DEFAULT_SECONDS};
use crate::session_tags::{ClaimedTags, is_source_identity};
use crate::web_identity::invalid;

pub(crate) const ACTION: &str = "sts:AssumeRoleWithSAML";
/// An assertion has to be shown within five minutes (STS API reference, AssumeRoleWithSAML).
const SHOWN_WITHIN_SECONDS: i64 = 300;
/// What an assertion's attributes for AWS begin with.
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";
/// What identity providers call AWS (IAM user guide, `id_roles_providers_create_saml_relying-party`).
const AUDIENCE: &str = "urn:amazon:webservices";

/// Attributes that are condition keys, by their names in assertions (IAM user guide, available keys for SAML-based
/// federation); those that may have several values are marked.
const ATTRIBUTE_KEYS: &[(&str, &str, bool)] = &[
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "saml:edupersonaffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "saml:edupersonnickname", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "saml:edupersonorgdn", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "saml:edupersonorgunitdn", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "saml:edupersonprimaryaffiliation", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "saml:edupersonprincipalname", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "saml:edupersonentitlement", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "saml:edupersonprimaryorgunitdn", false),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "saml:edupersonscopedaffiliation", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "saml:edupersontargetedid", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "saml:edupersonassurance", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "saml:eduorghomepageuri", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "saml:eduorgidentityauthnpolicyuri", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "saml:eduorglegalname", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "saml:eduorgsuperioruri", true),
    ("urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "saml:eduorgwhitepagesuri", true),
    ("urn:oid:2.5.4.3", "saml:cn", true),
    ("http://schemas.xmlsoap.org/claims/CommonName", "saml:commonName", false),
    ("urn:oid:2.5.4.42", "saml:givenName", false),
    ("urn:oid:2.5.4.4", "saml:surname", false),
    ("urn:oid:2.5.4.41", "saml:name", false),
    ("urn:oid:2.5.4.45", "saml:x500UniqueIdentifier", false),
    ("urn:oid:0.9.2342.19200300.100.1.1", "saml:uid", false),
    ("urn:oid:0.9.2342.19200300.100.1.3", "saml:mail", false),
    ("urn:oid:0.9.2342.19200300.100.1.45", "saml:organizationStatus", false),
    (
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid",
        "saml:primaryGroupSID",
        false,
    ),
];

/// An assertion that was verified, with what it says to AWS.
pub(crate) struct SamlIdentity {
    pub(crate) provider: SamlProvider,
    pub(crate) assertion: Assertion,
    /// Where it was to be shown (`saml:aud`).
    pub(crate) recipient: String,
    pub(crate) name_qualifier: String,
    pub(crate) session_name: String,
    pub(crate) seconds: i32,
    pub(crate) tags: ClaimedTags,
    pub(crate) source_identity: Option<String>,
    pub(crate) keys: Vec<(String, FederationKey)>,
    /// From when on it would not be taken for its age.
    pub(crate) ends: Timestamp,
}

impl SamlIdentity {
    /// Verifies the response of a request.
    ///
    /// # Errors
    /// AWS's refusals.
    pub(crate) fn verify(cx: &Cx, input: &AssumeRoleWithSAMLRequest) -> Result<Self, Error> {
        let account = federated_role::account(&input.role_arn, ACTION)?;
        // what anybody may send is short; what describes the provider is long, and not read for what is no response
        let xml = BASE64.decode(input.saml_assertion.trim()).ok().and_then(|xml| String::from_utf8(xml).ok());
        let xml = xml.ok_or_else(|| invalid("Invalid base64 SAMLResponse"))?;
        let response = Response::parse(&xml).map_err(refused)?;
        let provider = find(cx, &account, &input.principal_arn)?;
        let metadata = Metadata::parse(&provider.metadata).map_err(|_| cx.internal_failure())?;
        if metadata.valid_until.is_some_and(|until| until <= cx.now().seconds()) {
            return Err(invalid("The metadata of the SAML provider has expired").into());
        }
        let private = match (response.is_encrypted(), provider.encryption) {
            (true, _) => private_keys(cx, &provider)?,
            (false, Some(AssertionEncryption::Required)) => {
                return Err(invalid("The SAML provider requires an encrypted assertion").into());
            }
            (false, _) => vec![],
        };
        let assertion = opened(cx, &response, &metadata, &private)?;
        check_times(&assertion, cx.now().seconds())?;
        let recipient = recipient(cx, &assertion)?;
        let says = Attributes(&assertion);
        if !says.role(&input.role_arn, &input.principal_arn) {
            return Err(federated_role::denied(ACTION).into());
        }
        let name_qualifier = name_qualifier(&assertion.issuer, account.as_str(), &provider.name);
        Ok(Self {
            session_name: says.session_name()?,
            seconds: says.seconds(input.duration_seconds)?,
            tags: says.tags()?,
            source_identity: says.source_identity()?,
            keys: keys(&assertion, &provider, &recipient, &name_qualifier),
            ends: Timestamp::from_millis((assertion.issued + 2 * SHOWN_WITHIN_SECONDS) * 1000),
            provider,
            recipient,
            name_qualifier,
            assertion,
        })
    }
}

/// What a response says, once it was opened and verified. Of an assertion in CBC, which can be changed bit by bit, so many tries
/// are free; those after them are not opened at all for a while.
fn opened(
    cx: &Cx,
    response: &Response<'_>,
    metadata: &Metadata,
    private: &[DecryptionKey],
) -> Result<Assertion, Fault> {
    let decryptions = &cx.state().decryptions;
    let tried = response.malleable_key().map(|key| BASE64.encode(key));
    if let Some(key) = &tried
        && !decryptions.may_guess(key, cx.now(), cx.request_id())
    {
        return Err(refused(InvalidResponse::Decryption));
    }
    let assertion = response.verify(metadata, private).map_err(refused)?;
    if let Some(key) = &tried {
        decryptions.right(key);
    }
    Ok(assertion)
}

fn refused(error: InvalidResponse) -> Fault {
    invalid(match error {
        InvalidResponse::Form => "Your request included an invalid SAML response",
        InvalidResponse::Status => "The SAML response is not one of success",
        InvalidResponse::Issuer => "Issuer not present in specified provider",
        InvalidResponse::Signature => "Response signature invalid",
        InvalidResponse::Algorithm => {
            "The assertion is encrypted with an algorithm that is not supported: AES in GCM or CBC, its key with RSA-OAEP"
        }
        InvalidResponse::Decryption => "The encrypted assertion could not be decrypted and verified",
    })
}

/// What opens assertions of a provider.
fn private_keys(cx: &Cx, provider: &SamlProvider) -> Result<Vec<DecryptionKey>, Error> {
    let key = |key: &SamlPrivateKey| {
        let context = SamlPrivateKey::seal_context(&provider.account, &key.id);
        let opened = cx.state().ring.open(Purpose::Record, context.as_bytes(), &key.private.0).ok()?;
        DecryptionKey::from_pkcs8(opened.expose()).ok()
    };
    let keys: Option<Vec<_>> = provider.private_keys.iter().map(key).collect();
    Ok(keys.ok_or_else(|| cx.internal_failure())?)
}

/// The provider of that ARN, in the account of the role.
fn find(cx: &Cx, account: &AccountId, arn: &str) -> Result<SamlProvider, Error> {
    let own = format!("arn:aws:iam::{account}:saml-provider/");
    let missing = || invalid("Specified provider doesn't exist");
    let name = arn.strip_prefix(&own).filter(|name| !name.is_empty()).ok_or_else(missing)?;
    let found = cx.state().store.read(|tx| tx.get::<SamlProvider>(&SamlProvider::key_of(account, name)))?;
    Ok(found.filter(|provider| provider.arn() == arn).ok_or_else(missing)?)
}

fn check_times(assertion: &Assertion, now: i64) -> Result<(), Fault> {
    let over = |end: &i64| *end <= now;
    if assertion.issued + SHOWN_WITHIN_SECONDS < now || assertion.not_on_or_after.as_ref().is_some_and(over) {
        let words = "Token must be redeemed within 5 minutes of issuance";
        return Err(Fault::new(&errors::EXPIRED_TOKEN_EXCEPTION, words));
    }
    if assertion.session_not_on_or_after.as_ref().is_some_and(over) {
        return Err(Fault::new(&errors::EXPIRED_TOKEN_EXCEPTION, "The session of the assertion has ended"));
    }
    let from = assertion.not_before.unwrap_or(assertion.issued).max(assertion.issued);
    if from > now + SHOWN_WITHIN_SECONDS {
        return Err(invalid("The assertion is not yet valid"));
    }
    Ok(())
}

/// Where the assertion was to be shown, if that is here, or at AWS's sign-in, for which identity providers are set up; and
/// whether it is for AWS at all.
fn recipient(cx: &Cx, assertion: &Assertion) -> Result<String, Fault> {
    let here = format!("{}/saml", cx.state().endpoint);
    let is_here = |text: &str| text == here || is_sign_in(text);
    let for_us = |audiences: &Vec<String>| audiences.iter().any(|a| a == AUDIENCE || is_here(a));
    if assertion.audiences.is_empty() || !assertion.audiences.iter().all(for_us) {
        return Err(invalid("Response does not contain the required audience."));
    }
    let now = cx.now().seconds();
    let shown = assertion.recipients.iter().find(|(recipient, ends)| is_here(recipient) && *ends > now);
    shown
        .map(|(recipient, _)| recipient.clone())
        .ok_or_else(|| invalid("The assertion has no subject confirmation for this recipient"))
}

/// `https://signin.aws.amazon.com/saml`, or that of a region.
fn is_sign_in(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/saml")) else {
        return false;
    };
    let Some(before) = host.strip_suffix("signin.aws.amazon.com") else { return false };
    let region =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    before.is_empty() || before.strip_suffix('.').is_some_and(region)
}

/// What an assertion says to AWS.
struct Attributes<'a>(&'a Assertion);

impl<'a> Attributes<'a> {
    fn values(&self, name: &str) -> Vec<&'a str> {
        let named = self.0.attributes.iter().filter(|(n, _)| n.strip_prefix(ATTRIBUTES) == Some(name));
        named.flat_map(|(_, values)| values.iter().map(String::as_str)).collect()
    }

    /// Whether it names the role with the provider, in whichever order.
    fn role(&self, role: &str, provider: &str) -> bool {
        self.values("Role").iter().any(|pair| {
            let parts: Vec<&str> = pair.split(',').map(str::trim).collect();
            parts == [role, provider] || parts == [provider, role]
        })
    }

    fn session_name(&self) -> Result<String, Fault> {
        let [name] = self.values("RoleSessionName")[..] else {
            return Err(invalid("RoleSessionName is required in AuthnResponse"));
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        if (2..=64).contains(&name.len()) && name.bytes().all(plain) {
            Ok(name.to_owned())
        } else {
            Err(invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"))
        }
    }

    /// The shorter of what the request and the assertion say (STS API reference, AssumeRoleWithSAML).
    fn seconds(&self, asked: Option<i32>) -> Result<i32, Fault> {
        let said = match self.values("SessionDuration")[..] {
            [] => None,
            [text] => {
                let parsed = text.parse().ok().filter(|seconds| (900..=43_200).contains(seconds));
                Some(parsed.ok_or_else(|| {
                    invalid("SessionDuration in AuthnResponse must be an integer from 900 to 43200")
                })?)
            }
            _ => return Err(invalid("SessionDuration stands more than once in AuthnResponse")),
        };
        Ok(match (asked, said) {
            (Some(asked), Some(said)) => asked.min(said),
            (asked, said) => asked.or(said).unwrap_or(DEFAULT_SECONDS),
        })
    }

    fn tags(&self) -> Result<ClaimedTags, Fault> {
        let mut tags = vec![];
        for (name, values) in &self.0.attributes {
            let key = name.strip_prefix(ATTRIBUTES).and_then(|name| name.strip_prefix("PrincipalTag:"));
            match (key, values.as_slice()) {
                (None, _) => {}
                (Some(key), [value]) => tags.push((key.to_owned(), value.clone())),
                (Some(_), _) => return Err(invalid("A session tag in AuthnResponse must have one value")),
            }
        }
        let transitive = self.values("TransitiveTagKeys").into_iter().map(str::to_owned).collect();
        ClaimedTags { tags, transitive }.check().map_err(|why| invalid(&why))
    }

    fn source_identity(&self) -> Result<Option<String>, Fault> {
        match self.values("SourceIdentity")[..] {
            [] => Ok(None),
            [text] if is_source_identity(text) => Ok(Some(text.to_owned())),
            _ => {
                let words = "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"";
                Err(invalid(words))
            }
        }
    }
}

/// `saml:aud` and its kin.
fn keys(
    assertion: &Assertion,
    provider: &SamlProvider,
    recipient: &str,
    name_qualifier: &str,
) -> Vec<(String, FederationKey)> {
    let text = |key: &str, value: String| (key.to_owned(), FederationKey::Text(value));
    let mut keys = vec![
        text("saml:aud", recipient.to_owned()),
        text("saml:doc", format!("{}/{}", provider.account, provider.name)),
        text("saml:iss", assertion.issuer.clone()),
        text("saml:namequalifier", name_qualifier.to_owned()),
        text("saml:sub", assertion.subject.clone()),
        text("saml:sub_type", subject_type(assertion)),
    ];
    for (name, key, many) in ATTRIBUTE_KEYS {
        let named = assertion.attributes.iter().filter(|(n, _)| n == name);
        let values: Vec<String> = named.flat_map(|(_, values)| values.iter().cloned()).collect();
        match (values.as_slice(), many) {
            ([], _) => {}
            (_, true) => keys.push(((*key).to_owned(), FederationKey::List(values))),
            ([one], false) => keys.push(text(key, one.clone())),
            // What should have one value and has more has none that could be meant.
            (_, false) => {}
        }
    }
    keys
}
