//! Assertions that are encrypted: what is taken, what attackers make of them, and that they learn nothing.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::Purpose;
use daypass_core::model::Timestamp;
use daypass_core::store::records::{AssertionEncryption, Indexed as _, SamlPrivateKey, SamlProvider, Sealed};
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{TestAnswer, account};

use super::{Corp, DS, IDP, INVALID, Idp, Says, assertion, response, says, with};
use crate::support::outcome;

const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
const NS: &str = r#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
/// What is said of everything that does not come to an assertion of the provider's.
const OPAQUE: &str = "The encrypted assertion could not be decrypted and verified";

/// How a key is encrypted, as XML encryption has it.
#[derive(Clone, Copy)]
enum Transport {
    Mgf1p,
    Sha256,
}

impl Transport {
    fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Mgf1p => &OAEP_SHA1_MGF1SHA1,
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
        }
    }

    fn method(self) -> String {
        match self {
            Self::Mgf1p => format!(r#"<xenc:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/>"#),
            Self::Sha256 => format!(
                r#"<xenc:EncryptionMethod Algorithm="{XENC11}rsa-oaep"><ds:DigestMethod Algorithm="{XENC}sha256"/><xenc11:MGF Algorithm="{XENC11}mgf1sha256"/></xenc:EncryptionMethod>"#
            ),
        }
    }
}

/// The bytes of an encrypted assertion, before they become XML.
#[derive(Clone)]
struct Parts {
    transport: String,
    key: Vec<u8>,
    cipher: &'static str,
    element: Vec<u8>,
}

impl Parts {
    fn encrypted_key(&self, id: &str) -> String {
        let (method, key) = (&self.transport, STANDARD.encode(&self.key));
        format!(
            r#"<xenc:EncryptedKey{NS} Id="{id}">{method}<xenc:CipherData><xenc:CipherValue>{key}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"#
        )
    }

    /// With that as the key's information.
    fn data(&self, info: &str) -> String {
        let (cipher, element) = (self.cipher, STANDARD.encode(&self.element));
        format!(
            r#"<xenc:EncryptedData{NS} Id="_ed1" Type="{XENC}Element"><xenc:EncryptionMethod Algorithm="{cipher}"/>{info}<xenc:CipherData><xenc:CipherValue>{element}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"#
        )
    }

    fn xml(&self) -> String {
        wrapped(&self.data(&format!("<ds:KeyInfo>{}</ds:KeyInfo>", self.encrypted_key("_ek1"))))
    }

    /// The key beside the data, which refers to it.
    fn beside(&self) -> String {
        let info = r##"<ds:KeyInfo><ds:RetrievalMethod Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey" URI="#_ek1"/></ds:KeyInfo>"##;
        wrapped(&(self.data(info) + &self.encrypted_key("_ek1")))
    }
}

fn wrapped(content: &str) -> String {
    format!(
        r#"<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{content}</saml:EncryptedAssertion>"#
    )
}

/// A receiver's key.
struct Receiver(PrivateDecryptingKey);

impl Receiver {
    fn new() -> Self {
        Self(PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap())
    }

    fn public(&self) -> OaepPublicEncryptingKey {
        let der = self.0.public_key();
        let der =
            aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(&der).unwrap();
        OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(der.as_ref()).unwrap()).unwrap()
    }

    fn encrypt(&self, transport: Transport, cipher: &'static str, plain: &str) -> Parts {
        let gcm = cipher.ends_with("gcm");
        let secret = if cipher.contains("aes128") { vec![7; 16] } else { vec![7; 32] };
        let element = match (gcm, secret.len()) {
            (true, 16) => sealed_gcm(&AES_128_GCM, &secret, plain),
            (true, _) => sealed_gcm(&AES_256_GCM, &secret, plain),
            (false, 16) => sealed_cbc(&AES_128, &secret, plain),
            (false, _) => sealed_cbc(&AES_256, &secret, plain),
        };
        Parts { transport: transport.method(), key: self.wrap(transport, &secret), cipher, element }
    }

    fn wrap(&self, transport: Transport, secret: &[u8]) -> Vec<u8> {
        let public = self.public();
        let mut out = vec![0; public.ciphertext_size()];
        public.encrypt(transport.algorithm(), secret, &mut out, None).unwrap().to_vec()
    }

    /// By the way that is best.
    fn seal(&self, plain: &str) -> Parts {
        self.encrypt(Transport::Sha256, AES256_GCM, plain)
    }
}

const AES128_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes128-gcm";
const AES256_GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const AES128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const AES256_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";

fn sealed_gcm(algorithm: &'static aws_lc_rs::aead::Algorithm, key: &[u8], plain: &str) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    let mut bytes = plain.as_bytes().to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key([9; 12]), Aad::empty(), &mut bytes).unwrap();
    [&[9; 12][..], &bytes].concat()
}

fn sealed_cbc(algorithm: &'static aws_lc_rs::cipher::Algorithm, key: &[u8], plain: &str) -> Vec<u8> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).unwrap()).unwrap();
    let mut bytes = plain.as_bytes().to_vec();
    let context = key.encrypt(&mut bytes).unwrap();
    let iv: &[u8] = (&context).try_into().unwrap();
    [iv, &bytes].concat()
}

impl Corp {
    /// Gives the provider these keys, and says whether they have to be used.
    async fn receives(&self, keys: &[&Receiver], encryption: AssertionEncryption) {
        let state = self.world.server.gate.state();
        let sealed = |(number, key): (usize, &&Receiver)| {
            let id = format!("ASAMKEXAMPLEQQQQQQQQQ{number}");
            let context = SamlPrivateKey::seal_context(&account(), &id);
            let der = key.0.as_der().unwrap();
            let private = state.ring.seal(Purpose::Record, context.as_bytes(), der.as_ref()).unwrap();
            SamlPrivateKey { id, private: Sealed(private), added: Timestamp::default() }
        };
        let private_keys: Vec<_> = keys.iter().enumerate().map(sealed).collect();
        let done: Result<(), TransactError<StoreError>> = state
            .store
            .transact(|tx| {
                let mut provider =
                    tx.get::<SamlProvider>(&SamlProvider::key_of(&account(), "corp"))?.unwrap();
                provider.encryption = Some(encryption);
                provider.private_keys.clone_from(&private_keys);
                provider.save(tx)
            })
            .await;
        done.unwrap();
    }

    fn signed_assertion(&self, id: &'static str) -> String {
        self.idp.signed(&assertion(&Says { id, ..says() }), id)
    }

    fn signed_response(&self, content: &str) -> String {
        let whole = canonical(&response(content));
        with(&whole, &self.idp.signature(&whole, "_r1"))
    }
}

/// As exclusive canonicalization writes what the tests here make: no element is empty in one tag, and a namespace stands
/// where it is first used.
fn canonical(xml: &str) -> String {
    let mut out = xml.replace(NS, "").replace(r#" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion""#, "");
    for (element, ns) in [
        ("<saml:Issuer", r#" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion""#),
        ("<saml:EncryptedAssertion", r#" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion""#),
        ("<xenc:EncryptedData", r#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#""#),
        ("<ds:KeyInfo", DS),
        ("<ds:DigestMethod", ""),
        ("<xenc11:MGF", r#" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#""#),
    ] {
        out = out.replace(element, &format!("{element}{ns}"));
    }
    let mut parts = out.split("/>");
    let mut closed = parts.next().unwrap().to_owned();
    for part in parts {
        let name = closed.rsplit('<').next().unwrap().split(' ').next().unwrap().to_owned();
        closed = format!("{closed}></{name}>{part}");
    }
    closed
}

fn refused(answer: &TestAnswer) -> (String, String) {
    answer.refused()
}

fn opaque() -> (String, String) {
    (INVALID.to_owned(), OPAQUE.to_owned())
}

#[tokio::test]
async fn an_encrypted_assertion_is_worth_a_session_by_every_algorithm_that_aws_takes() {
    let corp = Corp::new("").await;
    let receiver = Receiver::new();
    corp.receives(&[&receiver], AssertionEncryption::Required).await;
    let ids = ["_1", "_2", "_3", "_4", "_5", "_6", "_7", "_8"];
    let ways = [Transport::Mgf1p, Transport::Sha256].into_iter().flat_map(|transport| {
        [AES128_GCM, AES256_GCM, AES128_CBC, AES256_CBC].map(|cipher| (transport, cipher))
    });
    for (id, (transport, cipher)) in ids.into_iter().zip(ways) {
        let parts = receiver.encrypt(transport, cipher, &corp.signed_assertion(id));
        let xml = if id < "_5" { parts.xml() } else { parts.beside() };
        let answer = corp.assume(&response(&xml)).await.ok();
        assert_eq!((answer.xml("Subject"), answer.xml("Issuer")), (Some("alice"), Some(IDP)), "{cipher}");
        // Encrypted anew, it is the same assertion.
        let again = response(&receiver.seal(&corp.signed_assertion(id)).xml());
        assert_eq!(outcome(&corp.assume(&again).await), INVALID);
    }
}

#[tokio::test]
async fn who_signs_the_response_answers_for_what_is_encrypted_in_it() {
    let corp = Corp::new("").await;
    let receiver = Receiver::new();
    corp.receives(&[&receiver], AssertionEncryption::Required).await;
    let encrypted = receiver.seal(&assertion(&says())).xml();
    let evil = receiver.seal(&assertion(&Says { subject: "mallory", ..says() })).xml();
    let good = corp.signed_response(&encrypted);
    let (good_data, evil_data) = (canonical(&encrypted), canonical(&evil));
    let swapped = good.replace(&good_data, &evil_data);
    assert_ne!(swapped, good);
    let words = (INVALID.to_owned(), "Response signature invalid".to_owned());
    assert_eq!(refused(&corp.assume(&swapped).await), words);
    // Without the signature there is nobody who says so.
    assert_eq!(refused(&corp.assume(&response(&encrypted)).await), opaque());
    // One good signature does not make up for a bad one.
    let other = Idp::new().signed(&assertion(&says()), "_a1");
    let other = corp.signed_response(&receiver.seal(&other).xml());
    assert_eq!(refused(&corp.assume(&other).await), opaque());
    corp.assume(&good).await.ok();
}

#[tokio::test]
async fn whatever_goes_wrong_after_the_decryption_is_said_in_the_same_words() {
    let corp = Corp::new("").await;
    let (receiver, stranger) = (Receiver::new(), Receiver::new());
    corp.receives(&[&receiver], AssertionEncryption::Allowed).await;
    let signed = corp.signed_assertion("_a1");
    let good = receiver.seal(&signed);
    let cbc = receiver.encrypt(Transport::Mgf1p, AES256_CBC, &signed);
    let flipped = |parts: &Parts, at: usize| {
        let mut parts = parts.clone();
        parts.element[at] ^= 1;
        parts
    };
    let with_key = |key: Vec<u8>| Parts { key, ..good.clone() };
    let mut bad_key = good.key.clone();
    bad_key[3] ^= 1;
    let evil = assertion(&Says { subject: "mallory", ..says() });
    let nothing = "";
    let plain = |text: &str| receiver.seal(text);
    for (what, parts) in [
        ("another receiver's", stranger.seal(&signed)),
        ("a key that was changed", with_key(bad_key)),
        ("no key", with_key(vec![])),
        ("a short key", with_key(good.key[..255].to_vec())),
        ("a key of another length", with_key(receiver.wrap(Transport::Sha256, &[7; 16]))),
        ("a key by another hash", with_key(receiver.wrap(Transport::Mgf1p, &[7; 32]))),
        (
            "the key that is tried where none opens",
            Parts { element: sealed_gcm(&AES_256_GCM, &[0; 32], &signed), ..with_key(vec![1; 256]) },
        ),
        ("a nonce that was changed", flipped(&good, 0)),
        ("a tag that was changed", flipped(&good, good.element.len() - 1)),
        ("a text that was changed", flipped(&good, 300)),
        ("nothing", Parts { element: vec![], ..good.clone() }),
        ("a nonce alone", Parts { element: vec![9; 12], ..good.clone() }),
        ("an initial vector that was changed", flipped(&cbc, 0)),
        ("padding that was changed", flipped(&cbc, cbc.element.len() - 17)),
        ("a block that was changed", flipped(&cbc, 300)),
        ("half a block", Parts { element: cbc.element[..cbc.element.len() - 8].to_vec(), ..cbc.clone() }),
        ("a vector alone", Parts { element: vec![0; 16], ..cbc.clone() }),
        ("no vector", Parts { element: vec![0; 5], ..cbc.clone() }),
        ("an empty text", plain(nothing)),
        ("words", plain("words")),
        ("two assertions", plain(&(signed.clone() + &signed))),
        ("a comment", plain(&signed.replace(">alice<", ">ali<!-- -->ce<"))),
        ("a document type", plain(&format!("<!DOCTYPE x>{signed}"))),
        ("an unsigned assertion", plain(&evil)),
        ("an assertion that another signed", plain(&Idp::new().signed(&evil, "_a1"))),
        (
            "the signature of another assertion",
            plain(&with(&evil, &corp.idp.signature(&assertion(&says()), "_a1"))),
        ),
        ("another issuer's", plain(&signed.replace(IDP, "https://evil.example"))),
        ("an assertion in an assertion", plain(&with(&evil, &signed))),
        ("an encrypted assertion in an assertion", plain(&with(&evil, &good.xml()))),
        ("an encrypted assertion in itself", plain(&good.xml())),
        ("a response", plain(&response(&signed))),
        ("an assertion of another version", plain(&signed.replace("Version=\"2.0\"", "Version=\"1.1\""))),
        ("more than a response has nodes", plain(&with(&signed, &"<a></a>".repeat(6000)))),
    ] {
        assert_eq!(refused(&corp.assume(&response(&parts.xml())).await), opaque(), "{what}");
    }
    corp.assume(&response(&good.xml())).await.ok();
}

#[tokio::test]
async fn what_was_captured_is_not_tried_again_and_again() {
    let corp = Corp::new("").await;
    let receiver = Receiver::new();
    corp.receives(&[&receiver], AssertionEncryption::Required).await;
    let captured = receiver.encrypt(Transport::Sha256, AES256_CBC, &corp.signed_assertion("_a1"));
    let tried = |at: usize| {
        let mut changed = captured.clone();
        changed.element[at] ^= 1;
        changed
    };
    for at in 0..5 {
        assert_eq!(refused(&corp.assume(&response(&tried(at).xml())).await), opaque());
    }
    // Not even as it was: no answer tells what came of it, nor how soon.
    for same in [captured.xml(), captured.beside()] {
        assert_eq!(refused(&corp.assume(&response(&same)).await), opaque());
    }
    // Nobody else waits for that.
    let other = receiver.encrypt(Transport::Sha256, AES256_CBC, &corp.signed_assertion("_a2"));
    corp.assume(&response(&other.xml())).await.ok();
    corp.world.server.clock.advance(31);
    corp.assume(&response(&captured.xml())).await.ok();
}

#[tokio::test]
async fn there_is_one_assertion_under_one_key_or_none() {
    let corp = Corp::new("").await;
    let receiver = Receiver::new();
    corp.receives(&[&receiver], AssertionEncryption::Allowed).await;
    let (signed, evil) = (corp.signed_assertion("_a1"), assertion(&Says { id: "_e1", ..says() }));
    let parts = receiver.seal(&signed);
    let (good, data) = (parts.xml(), parts.data(""));
    let other = good.replace("_ed1", "_ed2").replace("_ek1", "_ek2");
    let key = |id: &str| parts.encrypted_key(id);
    let info = |content: &str| format!("<ds:KeyInfo>{content}</ds:KeyInfo>");
    let elsewhere = |uri: &str| parts.data(&info(&format!(r#"<ds:RetrievalMethod URI="{uri}"/>"#)));
    let extensions = |content: &str| format!("<samlp:Extensions>{content}</samlp:Extensions>");
    let signature = corp.idp.signature(&assertion(&says()), "_a1");
    for (what, content) in [
        ("beside a plain one", good.clone() + &evil),
        ("behind a plain one", evil.clone() + &good),
        ("beside a signed one", good.clone() + &corp.signed_assertion("_a2")),
        ("two", good.clone() + &other),
        ("one in extensions", extensions(&good)),
        ("one more in extensions", extensions(&other) + &good),
        ("data in extensions", extensions(&parts.data("").replace("_ed1", "_ed2")) + &good),
        ("no key", wrapped(&data)),
        ("a key elsewhere", extensions(&key("_ek1")) + &wrapped(&elsewhere("#_ek1"))),
        ("a key behind an address", wrapped(&(elsewhere("http://evil.example/key") + &key("_ek1")))),
        ("a key by another name", wrapped(&(elsewhere("#_ek2") + &key("_ek1")))),
        ("two keys", wrapped(&(parts.data(&info(&key("_ek1"))) + &key("_ek2")))),
        ("two keys in one place", wrapped(&parts.data(&info(&(key("_ek1") + &key("_ek2")))))),
        ("no data", wrapped(&key("_ek1"))),
        ("data twice", wrapped(&(parts.data(&info(&key("_ek1"))) + &data.replace("_ed1", "_ed2")))),
        ("the same id twice", good.replace("_ek1", "_ed1")),
        ("a reference to a text", good.replace("CipherValue>", "CipherReference>")),
        ("no base64", good.replace(&STANDARD.encode(&parts.key), "!")),
        ("content without an element", good.replace("#Element", "#Content")),
        (
            "a signature within",
            good.replace("<xenc:EncryptedData", &format!("{signature}<xenc:EncryptedData")),
        ),
        ("another namespace", good.replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:x")),
        ("no method", good.replace("EncryptionMethod", "Encryption")),
    ] {
        let words = (INVALID.to_owned(), "Your request included an invalid SAML response".to_owned());
        assert_eq!(refused(&corp.assume(&response(&content)).await), words, "{what}");
    }
    corp.assume(&response(&good)).await.ok();
}

#[tokio::test]
async fn weak_and_unknown_algorithms_are_refused_before_anything_is_decrypted() {
    let corp = Corp::new("").await;
    let receiver = Receiver::new();
    corp.receives(&[&receiver], AssertionEncryption::Allowed).await;
    let good = receiver.encrypt(Transport::Mgf1p, AES256_GCM, &corp.signed_assertion("_a1"));
    let method = |algorithm: &str, more: &str| Parts {
        transport: format!(
            r#"<xenc:EncryptionMethod Algorithm="{algorithm}">{more}</xenc:EncryptionMethod>"#
        ),
        ..good.clone()
    };
    let digest = |hash: &str| format!(r#"<ds:DigestMethod Algorithm="{hash}"/>"#);
    let (mgf1p, oaep) = (&format!("{XENC}rsa-oaep-mgf1p"), &format!("{XENC11}rsa-oaep"));
    for parts in [
        method(&format!("{XENC}rsa-1_5"), ""),
        method("", ""),
        method(mgf1p, &digest("http://www.w3.org/2001/04/xmldsig-more#md5")),
        method(mgf1p, &digest(&format!("{XENC}sha256"))),
        method(oaep, &format!(r#"<xenc11:MGF Algorithm="{XENC11}mgf1sha256"/>"#)),
        method(oaep, r#"<xenc11:MGF Algorithm="urn:x"/>"#),
        Parts { cipher: "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", ..good.clone() },
        Parts { cipher: "http://www.w3.org/2001/04/xmlenc#aes256-gcm", ..good.clone() },
        Parts { cipher: "", ..good.clone() },
    ] {
        let (code, words) = refused(&corp.assume(&response(&parts.xml())).await);
        assert_eq!(code, INVALID);
        assert!(words.contains("algorithm that is not supported"), "{words}: {}", parts.transport);
    }
    corp.assume(&response(&good.xml())).await.ok();
}

#[tokio::test]
async fn the_provider_says_whether_assertions_have_to_be_encrypted_and_for_which_keys() {
    let corp = Corp::new("").await;
    let (old, new) = (Receiver::new(), Receiver::new());
    let sealed = |key: &Receiver, id| response(&key.seal(&corp.signed_assertion(id)).xml());
    let plain = |id| response(&corp.signed_assertion(id));
    // There is no key.
    assert_eq!(refused(&corp.assume(&sealed(&old, "_1")).await), opaque());
    corp.receives(&[&old, &new], AssertionEncryption::Required).await;
    let required = (INVALID.to_owned(), "The SAML provider requires an encrypted assertion".to_owned());
    assert_eq!(refused(&corp.assume(&plain("_2")).await), required);
    for (key, id) in [(&old, "_3"), (&new, "_4")] {
        corp.assume(&sealed(key, id)).await.ok();
    }
    corp.receives(&[&new], AssertionEncryption::Allowed).await;
    assert_eq!(refused(&corp.assume(&sealed(&old, "_5")).await), opaque());
    corp.assume(&sealed(&new, "_6")).await.ok();
    corp.assume(&plain("_7")).await.ok();
}
