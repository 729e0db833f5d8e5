use daypass_core::testing::Client;

use crate::support::{Account, allow, refusal, refused};

const GOOD: &str = "Abcdefg1!";

async fn profile(account: &Account, user: &str, password: &str) {
    account.ok("CreateLoginProfile", &[("UserName", user), ("Password", password)]).await;
}

async fn change(client: &Client, old: &str, new: &str) -> crate::support::Refusal {
    let ask = [("OldPassword", old), ("NewPassword", new)];
    refused(client, "ChangePassword", &ask).await
}

#[tokio::test]
async fn a_login_profile_is_made_shown_changed_and_deleted_and_its_password_stands_nowhere() {
    let account = Account::new().await;
    account.user("alice").await;
    let user = ("UserName", "alice");
    let missing = refusal(404, "NoSuchEntity", "Login Profile for User alice cannot be found.");
    for action in ["GetLoginProfile", "DeleteLoginProfile", "UpdateLoginProfile"] {
        assert_eq!(account.refused(action, &[user]).await, missing, "{action}");
    }
    let ask = [user, ("Password", GOOD), ("PasswordResetRequired", "true")];
    let made = account.ok("CreateLoginProfile", &ask).await;
    assert_eq!((made.xml("UserName"), made.xml("PasswordResetRequired")), (Some("alice"), Some("true")));
    assert_eq!(made.xml("CreateDate"), Some("2026-11-22T02:14:00Z"));
    let taken = refusal(409, "EntityAlreadyExists", "Login Profile for User alice already exists.");
    assert_eq!(account.refused("CreateLoginProfile", &ask).await, taken);
    account.ok("UpdateLoginProfile", &[user, ("PasswordResetRequired", "false")]).await;
    let shown = account.ok("GetLoginProfile", &[user]).await;
    assert_eq!(shown.xml("PasswordResetRequired"), Some("false"));
    let conflict = "Cannot delete entity, must delete login profile first.";
    assert_eq!(account.refused("DeleteUser", &[user]).await, refusal(409, "DeleteConflict", conflict));
    assert!(account.server.audit().iter().all(|record| !record.event.contains(GOOD)));
    account.ok("DeleteLoginProfile", &[user]).await;
    assert_eq!(account.refused("GetLoginProfile", &[user]).await, missing);
    account.ok("DeleteUser", &[user]).await;
}

#[tokio::test]
async fn passwords_must_be_what_the_policy_says() {
    let account = Account::new().await;
    account.user("alice").await;
    let user = ("UserName", "alice");
    let weak = account.refused("CreateLoginProfile", &[user, ("Password", "abcdefgh")]).await;
    let words = "Password should meet 2 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one number, Password should have at least one symbol";
    assert_eq!(weak, refusal(400, "PasswordPolicyViolation", words));
    let policy = [("MinimumPasswordLength", "14"), ("RequireNumbers", "true")];
    account.ok("UpdateAccountPasswordPolicy", &policy).await;
    let weak = account.refused("CreateLoginProfile", &[user, ("Password", "abcdefgh")]).await;
    let words = "Password should have a minimum length of 14, Password should have at least one number";
    assert_eq!(weak, refusal(400, "PasswordPolicyViolation", words));
    profile(&account, "alice", "abcdefghijklm1").await;
    let weak = account.refused("UpdateLoginProfile", &[user, ("Password", "abc1")]).await;
    assert_eq!(weak.1, "PasswordPolicyViolation");
}

#[tokio::test]
async fn the_policy_is_shown_as_it_was_set_and_what_is_left_out_gets_its_default_again() {
    let account = Account::new().await;
    let words = "The Password Policy with domain name 123456789012 cannot be found.";
    let missing = refusal(404, "NoSuchEntity", words);
    assert_eq!(account.refused("GetAccountPasswordPolicy", &[]).await, missing);
    let words = "The account policy with name PasswordPolicy cannot be found.";
    assert_eq!(
        account.refused("DeleteAccountPasswordPolicy", &[]).await,
        refusal(404, "NoSuchEntity", words)
    );
    let all = [
        ("MinimumPasswordLength", "12"),
        ("RequireSymbols", "true"),
        ("RequireNumbers", "true"),
        ("RequireUppercaseCharacters", "true"),
        ("RequireLowercaseCharacters", "true"),
        ("AllowUsersToChangePassword", "true"),
        ("MaxPasswordAge", "90"),
        ("PasswordReusePrevention", "24"),
        ("HardExpiry", "true"),
    ];
    account.ok("UpdateAccountPasswordPolicy", &all).await;
    let shown = account.ok("GetAccountPasswordPolicy", &[]).await;
    for (name, value) in all {
        assert_eq!(shown.xml(name), Some(value), "{name}");
    }
    assert_eq!(shown.xml("ExpirePasswords"), Some("true"));
    account.ok("UpdateAccountPasswordPolicy", &[]).await;
    let shown = account.ok("GetAccountPasswordPolicy", &[]).await;
    assert_eq!((shown.xml("MinimumPasswordLength"), shown.xml("RequireSymbols")), (Some("6"), Some("false")));
    assert_eq!((shown.xml("MaxPasswordAge"), shown.xml("ExpirePasswords")), (None, Some("false")));
    assert_eq!((shown.xml("PasswordReusePrevention"), shown.xml("HardExpiry")), (None, None));
    for (name, value) in
        [("MinimumPasswordLength", "5"), ("MaxPasswordAge", "1096"), ("PasswordReusePrevention", "25")]
    {
        let odd = account.refused("UpdateAccountPasswordPolicy", &[(name, value)]).await;
        assert_eq!(odd.1, "ValidationError", "{name}");
    }
    account.ok("DeleteAccountPasswordPolicy", &[]).await;
    assert_eq!(account.refused("GetAccountPasswordPolicy", &[]).await, missing);
}

#[tokio::test]
async fn a_user_changes_its_password_where_a_policy_lets_it() {
    let account = Account::new().await;
    let own = "arn:aws:iam::123456789012:user/alice";
    let may = allow(r#""iam:ChangePassword""#, own, "");
    let alice = account.server.user("alice", &[("may", &may)]).await;
    let missing = refusal(404, "NoSuchEntity", "Login Profile for User alice cannot be found.");
    assert_eq!(change(&alice, GOOD, "Bcdefgh2!").await, missing);
    profile(&account, "alice", GOOD).await;
    let wrong = refusal(403, "AccessDenied", "The old password was incorrect.");
    assert_eq!(change(&alice, "Wrong1!!!", "Bcdefgh2!").await, wrong);
    assert_eq!(change(&alice, GOOD, "weak").await.1, "PasswordPolicyViolation");
    alice.query("iam", "ChangePassword", &[("OldPassword", GOOD), ("NewPassword", "Bcdefgh2!")]).await.ok();
    assert_eq!(change(&alice, GOOD, "Cdefghi3!").await, wrong);
    let administrator = change(&account.administrator, GOOD, "Bcdefgh2!").await;
    let words = "Only IAM Users can change their own password";
    assert_eq!(administrator, refusal(400, "InvalidUserType", words));
}

#[tokio::test]
async fn the_account_s_policy_lets_users_change_their_passwords_who_are_not_denied_it() {
    let account = Account::new().await;
    let alice = account.server.user("alice", &[]).await;
    let deny = allow(r#""iam:*""#, "*", "").replace("Allow", "Deny");
    let bob = account.server.user("bob", &[("deny", &deny)]).await;
    profile(&account, "alice", GOOD).await;
    profile(&account, "bob", GOOD).await;
    assert_eq!(change(&alice, GOOD, "Bcdefgh2!").await.1, "AccessDenied");
    account.ok("UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).await;
    alice.query("iam", "ChangePassword", &[("OldPassword", GOOD), ("NewPassword", "Bcdefgh2!")]).await.ok();
    alice.query("iam", "GetAccountPasswordPolicy", &[]).await.ok();
    assert_eq!(refused(&alice, "GetLoginProfile", &[]).await.1, "AccessDenied");
    assert_eq!(change(&bob, GOOD, "Bcdefgh2!").await.1, "AccessDenied");
}

#[tokio::test]
async fn earlier_passwords_cannot_be_used_again_where_the_policy_says_so() {
    let account = Account::new().await;
    let policy = [("PasswordReusePrevention", "2"), ("AllowUsersToChangePassword", "true")];
    account.ok("UpdateAccountPasswordPolicy", &policy).await;
    let alice = account.server.user("alice", &[]).await;
    profile(&account, "alice", "first1").await;
    let ok = async |old: &str, new: &str| {
        alice.query("iam", "ChangePassword", &[("OldPassword", old), ("NewPassword", new)]).await.ok()
    };
    assert_eq!(change(&alice, "first1", "first1").await.1, "PasswordPolicyViolation");
    ok("first1", "second2").await;
    assert_eq!(change(&alice, "second2", "first1").await.1, "PasswordPolicyViolation");
    ok("second2", "third3").await;
    ok("third3", "first1").await;
}

#[tokio::test]
async fn guesses_at_a_password_are_slowed_down() {
    let account = Account::new().await;
    account.ok("UpdateAccountPasswordPolicy", &[("AllowUsersToChangePassword", "true")]).await;
    let alice = account.server.user("alice", &[]).await;
    profile(&account, "alice", GOOD).await;
    for _ in 0..5 {
        change(&alice, "wrong", "Bcdefgh2!").await;
    }
    assert_eq!(change(&alice, GOOD, "Bcdefgh2!").await.1, "AccessDenied");
    account.server.clock.advance(30);
    alice.query("iam", "ChangePassword", &[("OldPassword", GOOD), ("NewPassword", "Bcdefgh2!")]).await.ok();
}
