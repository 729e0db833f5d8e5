//! `ec2:DeleteKeyPair`: deleting what is not there succeeds.

use daypass_core::model::ec2::{DeleteKeyPairRequest, DeleteKeyPairResult, ops};
use daypass_core::store::{Read, Record as _, StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::KeyPair;
use crate::fault;
use crate::resource::{Home, Resource};

operation!(DELETE_KEY_PAIR, ops::DeleteKeyPair, checks, run);

fn checks(cx: &Cx, tx: &Tx<'_>, input: &DeleteKeyPairRequest) -> Result<Checks, StoreError> {
    let action = "ec2:DeleteKeyPair";
    Ok(match (&input.key_pair_id, &input.key_name) {
        (Some(id), _) => KeyPair::ask(cx, tx, action, id)?.into(),
        (None, name) => KeyPair::ask_named(cx, tx, action, name.as_deref().unwrap_or("*"))?.into(),
    })
}

fn find(tx: &impl Read, home: &Home, input: &DeleteKeyPairRequest) -> Result<Option<KeyPair>, Error> {
    match (&input.key_pair_id, &input.key_name) {
        (Some(_), Some(_)) => {
            let words = "The parameter 'keyName' may not be used in combination with 'keyPairId'";
            Err(fault::invalid_combination(words).into())
        }
        (Some(id), None) => Ok(KeyPair::find(tx, home, id)?),
        (None, Some(name)) => Ok(KeyPair::named(tx, home, name)?),
        (None, None) => Err(fault::missing("KeyName or KeyPairId").into()),
    }
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DeleteKeyPairRequest) -> Result<DeleteKeyPairResult, Error> {
    let found = find(tx, &Home::of(cx), &input)?;
    if let Some(pair) = &found {
        tx.delete(&pair.key());
    }
    Ok(DeleteKeyPairResult { return_: Some(true), key_pair_id: found.map(|pair| pair.id) })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn goes_by_name_and_by_id_and_is_gone() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateKeyPair", &[("KeyName", "a"), ("KeyType", "ed25519")]).await.ok();
        ec2(&admin, "CreateKeyPair", &[("KeyName", "b"), ("KeyType", "ed25519")]).await.ok();
        let gone = ec2(&admin, "DeleteKeyPair", &[("KeyPairId", made.xml("keyPairId").unwrap())]).await.ok();
        assert_eq!(gone.xml("keyPairId"), made.xml("keyPairId"));
        ec2(&admin, "DeleteKeyPair", &[("KeyName", "b")]).await.ok();
        assert_eq!(ec2(&admin, "DeleteKeyPair", &[("KeyName", "b")]).await.ok().xml("return"), Some("true"));
        let refused = ec2(&admin, "DescribeKeyPairs", &[("KeyName.1", "a")]).await.refused();
        assert_eq!(refused, ("InvalidKeyPair.NotFound".into(), "The key pair 'a' does not exist".into()));
    }

    #[tokio::test]
    async fn a_policy_names_key_pairs_by_their_names() {
        let server = server().await;
        let admin = server.administrator().await;
        let made = ec2(&admin, "CreateKeyPair", &[("KeyName", "mine"), ("KeyType", "ed25519")]).await.ok();
        let other = ec2(&admin, "CreateKeyPair", &[("KeyName", "other"), ("KeyType", "ed25519")]).await.ok();
        let may = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:DeleteKeyPair","Resource":"arn:aws:ec2:*:*:key-pair/mine"}}"#;
        let bob = server.user("bob", &[("p", may)]).await;
        for denied in [("KeyName", "other"), ("KeyPairId", other.xml("keyPairId").unwrap())] {
            assert_eq!(ec2(&bob, "DeleteKeyPair", &[denied]).await.refused().0, "UnauthorizedOperation");
        }
        ec2(&bob, "DeleteKeyPair", &[("KeyPairId", made.xml("keyPairId").unwrap())]).await.ok();
    }
}
