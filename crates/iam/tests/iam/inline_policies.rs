use crate::support::{Account, DOCUMENT, decoded, document_of, refusal};

const KINDS: [(&str, &str, &str, usize); 3] = [
    ("User", "user", "UserName", 2048),
    ("Group", "group", "GroupName", 5120),
    ("Role", "role", "RoleName", 10_240),
];

async fn account() -> Account {
    let account = Account::new().await;
    account.user("x").await;
    account.group("x").await;
    account.role("x").await;
    account
}

#[tokio::test]
async fn inline_policies_are_put_got_listed_and_deleted() {
    let account = account().await;
    for (kind, word, handle, _) in KINDS {
        let (entity, policy) = ((handle, "x"), ("PolicyName", "p"));
        let action = |verb: &str, plural: &str| format!("{verb}{kind}{plural}");
        let spaced = DOCUMENT.replace("\":", "\" : ");
        account.ok(&action("Put", "Policy"), &[entity, policy, ("PolicyDocument", &spaced)]).await;
        let got = account.ok(&action("Get", "Policy"), &[entity, policy]).await;
        assert_eq!((got.xml(handle), got.xml("PolicyName")), (Some("x"), Some("p")));
        assert_eq!(decoded(got.xml("PolicyDocument").unwrap()), spaced);
        account.ok(&action("Put", "Policy"), &[entity, policy, ("PolicyDocument", DOCUMENT)]).await;
        let got = account.ok(&action("Get", "Policy"), &[entity, policy]).await;
        assert_eq!(decoded(got.xml("PolicyDocument").unwrap()), DOCUMENT);
        let second = ("PolicyName", "a");
        account.ok(&action("Put", "Policy"), &[entity, second, ("PolicyDocument", DOCUMENT)]).await;
        let listed = account.ok(&action("List", "Policies"), &[entity]).await;
        assert_eq!(listed.xml_all("member"), ["a", "p"], "{}", listed.body);
        account.ok(&action("Delete", "Policy"), &[entity, policy]).await;
        let words = format!("The {word} policy with name p cannot be found.");
        for verb in ["Get", "Delete"] {
            let refused = account.refused(&action(verb, "Policy"), &[entity, policy]).await;
            assert_eq!(refused, refusal(404, "NoSuchEntity", words.as_str()));
        }
    }
}

#[tokio::test]
async fn all_inline_policies_of_an_entity_share_one_size() {
    let account = account().await;
    for (kind, word, handle, size) in KINDS {
        let put = format!("Put{kind}Policy");
        let (entity, half) = ((handle, "x"), document_of(size / 2));
        for name in ["p", "q"] {
            account.ok(&put, &[entity, ("PolicyName", name), ("PolicyDocument", &half)]).await;
        }
        // The same again takes the place of the first.
        account.ok(&put, &[entity, ("PolicyName", "q"), ("PolicyDocument", &half)]).await;
        let longer = document_of(size / 2 + 1);
        let words = format!("Maximum policy size of {size} bytes exceeded for {word} x");
        for name in ["q", "r"] {
            let refused =
                account.refused(&put, &[entity, ("PolicyName", name), ("PolicyDocument", &longer)]).await;
            assert_eq!(refused, refusal(409, "LimitExceeded", words.as_str()));
        }
    }
}

#[tokio::test]
async fn documents_are_checked_after_the_entity_is_found() {
    let account = account().await;
    for (kind, word, handle, _) in KINDS {
        let put = format!("Put{kind}Policy");
        let principal = DOCUMENT.replace("\"Action\"", "\"Principal\":\"*\",\"Action\"");
        for (name, document, expected) in [
            ("x", "{", refusal(400, "MalformedPolicyDocument", "Syntax errors in policy.")),
            (
                "x",
                principal.as_str(),
                refusal(400, "MalformedPolicyDocument", "Policy document should not specify a principal."),
            ),
            ("y", "{", refusal(404, "NoSuchEntity", format!("The {word} with name y cannot be found."))),
        ] {
            let parameters = [(handle, name), ("PolicyName", "p"), ("PolicyDocument", document)];
            assert_eq!(account.refused(&put, &parameters).await, expected);
        }
    }
}
