//! Passwords: what they must be, and how they are kept: as argon2id hashes, sealed.

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use daypass_core::store::records::{LoginProfile, PasswordPolicy, Sealed, User};
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{Cx, Error, Fault, Purpose, at_length};

use crate::fault::password_violation;

/// Characters of a password without a policy (IAM user guide, "Default password policy").
const DEFAULT_LENGTH: u32 = 8;
/// So many of the four kinds of characters a password has without a policy.
const DEFAULT_KINDS: usize = 3;
/// The most passwords that a policy can forbid to use again (IAM API reference, `PasswordReusePrevention`).
const MAX_REMEMBERED: usize = 24;
/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// A kind of character: whether a policy wants one, which are of it, and what it is called.
type Kind<'a> = (bool, fn(&char) -> bool, &'a str);

/// The account's policy, if it has one.
pub(crate) fn policy(cx: &Cx, tx: &Tx<'_>) -> Result<Option<PasswordPolicy>, StoreError> {
    tx.get(&PasswordPolicy::key_of(&cx.account()))
}

/// Whether a password is what the account's policy wants.
///
/// # Errors
/// If it is not, with everything that it lacks.
pub(crate) fn check(policy: Option<&PasswordPolicy>, password: &str) -> Result<(), Fault> {
    let long_enough = |length: u32| password.chars().count() >= usize::try_from(length).unwrap_or(usize::MAX);
    let length = policy.map_or(DEFAULT_LENGTH, |policy| policy.minimum_length);
    let mut lacks = vec![];
    if !long_enough(length) {
        lacks.push(format!("Password should have a minimum length of {length}"));
    }
    let has = |kind: fn(&char) -> bool| password.chars().any(|c| kind(&c));
    let kinds: [Kind<'_>; 4] = [
        (policy.is_some_and(|p| p.require_uppercase), char::is_ascii_uppercase, "uppercase letter"),
        (policy.is_some_and(|p| p.require_lowercase), char::is_ascii_lowercase, "lowercase letter"),
        (policy.is_some_and(|p| p.require_numbers), char::is_ascii_digit, "number"),
        (policy.is_some_and(|p| p.require_symbols), |c| !c.is_ascii_alphanumeric(), "symbol"),
    ];
    let missing = |kind: &str| format!("Password should have at least one {kind}");
    if policy.is_some() {
        lacks.extend(
            kinds.iter().filter(|(needed, has_it, _)| *needed && !has(*has_it)).map(|k| missing(k.2)),
        );
    } else {
        let absent: Vec<String> = kinds.iter().filter(|k| !has(k.1)).map(|k| missing(k.2)).collect();
        let present = kinds.len() - absent.len();
        if present < DEFAULT_KINDS {
            let more = DEFAULT_KINDS - present;
            let words = absent.join(", ");
            lacks.push(format!("Password should meet {more} more of the following requirements: {words}"));
        }
    }
    if lacks.is_empty() { Ok(()) } else { Err(password_violation(lacks.join(", "))) }
}

/// A new login profile's password, sealed.
pub(crate) fn sealed(cx: &Cx, user: &User, password: &str) -> Result<Sealed, Error> {
    let salt = cx.ids().secret_bytes();
    let salt = salt.get(..SALT_BYTES).unwrap_or(&salt);
    let hash: argon2::PasswordHash =
        at_length(|| Argon2::default().hash_password_with_salt(password.as_bytes(), salt))
            .map_err(|error| Error::Internal(error.to_string().into()))?;
    let context = LoginProfile::seal_context(&user.account, &user.id);
    let text = hash.to_string();
    Ok(Sealed(cx.state().ring.seal(Purpose::Record, context.as_bytes(), text.as_bytes())?))
}

/// Whether a password is the one of a hash.
pub(crate) fn is(cx: &Cx, profile: &LoginProfile, sealed: &Sealed, password: &str) -> bool {
    let context = LoginProfile::seal_context(&profile.account, &profile.user_id);
    let Ok(hash) = cx.state().ring.open(Purpose::Record, context.as_bytes(), &sealed.0) else { return false };
    let Ok(hash) = std::str::from_utf8(hash.expose()) else { return false };
    at_length(|| Argon2::default().verify_password(password.as_bytes(), hash)).is_ok()
}

/// Sets another password.
///
/// # Errors
/// If the policy does not want it, or forbids to use it again.
pub(crate) fn set(
    cx: &Cx,
    policy: Option<&PasswordPolicy>,
    profile: &mut LoginProfile,
    user: &User,
    password: &str,
) -> Result<(), Error> {
    check(policy, password)?;
    let forbidden = policy.and_then(|policy| policy.reuse_prevention).unwrap_or(0);
    let forbidden = usize::try_from(forbidden).unwrap_or(MAX_REMEMBERED);
    let known = std::iter::once(&profile.password).chain(&profile.earlier).take(forbidden);
    if known.into_iter().any(|hash| is(cx, profile, hash, password)) {
        let words =
            format!("Password was used recently, it should differ from the last {forbidden} passwords");
        return Err(password_violation(words).into());
    }
    let before = std::mem::replace(&mut profile.password, sealed(cx, user, password)?);
    profile.earlier.insert(0, before);
    profile.earlier.truncate(MAX_REMEMBERED);
    profile.changed = cx.now().truncated();
    Ok(())
}

#[cfg(test)]
mod tests {
    use daypass_core::store::records::PasswordPolicy;

    use super::check;

    fn words(policy: Option<&PasswordPolicy>, password: &str) -> String {
        check(policy, password).map_or_else(|fault| fault.message, |()| String::new())
    }

    #[test]
    fn without_a_policy_three_of_four_kinds_and_eight_characters_do() {
        for good in ["Abcdefg1", "abcdef1!", "ABCDEF1!", "Abcdefg!", "Äbcdefg1A"] {
            assert_eq!(words(None, good), "", "{good}");
        }
        assert_eq!(
            words(None, "abcdefgh1"),
            "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol"
        );
        assert!(words(None, "Ab1!").contains("minimum length of 8"));
    }

    #[test]
    fn a_policy_says_all_that_is_missing() {
        let policy = PasswordPolicy {
            account: "123456789012".parse().unwrap(),
            minimum_length: 12,
            require_symbols: true,
            require_numbers: true,
            require_uppercase: true,
            require_lowercase: false,
            users_may_change: false,
            max_age_days: None,
            reuse_prevention: None,
            hard_expiry: None,
        };
        assert_eq!(words(Some(&policy), "ABCDEFGHIJ1!"), "");
        assert_eq!(
            words(Some(&policy), "abc"),
            "Password should have a minimum length of 12, Password should have at least one uppercase letter, Password should have at least one number, Password should have at least one symbol"
        );
    }
}
