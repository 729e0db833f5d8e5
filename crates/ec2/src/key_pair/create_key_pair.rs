//! `ec2:CreateKeyPair`.

use daypass_core::model::ec2::{CreateKeyPairRequest, KeyFormat, KeyType, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Secret, operation};

use super::{KeyPair, check_name, material};
use crate::resource::{Home, Resource};
use crate::{fault, tag};

operation!(CREATE_KEY_PAIR, ops::CreateKeyPair, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &CreateKeyPairRequest) -> Result<Checks, StoreError> {
    let kind = match input.key_type.unwrap_or_default() {
        KeyType::Rsa => "rsa",
        KeyType::Ed25519 => "ed25519",
    };
    let (name, tags) = (&input.key_name, &input.tag_specifications);
    Ok(tag::ask_to_make_named(cx, "ec2:CreateKeyPair", KeyPair::KIND, name, tags, |check| {
        check.with("ec2:KeyPairType", kind)
    }))
}

fn run(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateKeyPairRequest,
) -> Result<daypass_core::model::ec2::KeyPair, Error> {
    let home = Home::of(cx);
    check_name(tx, &home, &input.key_name)?;
    let tags = tag::of_new(&input.tag_specifications, KeyPair::KIND, &[KeyPair::KIND])?;
    if input.key_format == Some(KeyFormat::Ppk) {
        return Err(fault::unsupported("Daypass gives private keys in the format pem alone.").into());
    }
    let made = match input.key_type.unwrap_or_default() {
        KeyType::Rsa => material::make_rsa(&input.key_name),
        KeyType::Ed25519 => material::make_ed25519(&Secret::new(cx.ids().secret_bytes()), &input.key_name),
    };
    let made = made.map_err(|error| Error::Internal(Box::new(error)))?;
    let pair = KeyPair {
        home,
        id: cx.ids().resource_id(KeyPair::KIND.prefix),
        name: input.key_name,
        kind: made.public.kind,
        fingerprint: made.public.fingerprint,
        public_key: made.public.text,
        created: cx.now(),
        tags,
    };
    tx.put(&pair)?;
    Ok(daypass_core::model::ec2::KeyPair {
        key_pair_id: Some(pair.id.clone()),
        tags: tag::some(&pair.tags),
        key_name: Some(pair.name.clone()),
        key_fingerprint: Some(pair.fingerprint),
        key_material: Some(made.private_key.expose().clone()),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    #[tokio::test]
    async fn tells_the_private_key_once_and_keeps_it_nowhere() {
        let server = server().await;
        let admin = server.administrator().await;
        for (kind, begin) in
            [("rsa", "-----BEGIN RSA PRIVATE KEY-----"), ("ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----")]
        {
            let made = ec2(&admin, "CreateKeyPair", &[("KeyName", kind), ("KeyType", kind)]).await.ok();
            let material = made.xml("keyMaterial").unwrap();
            assert!(material.starts_with(begin), "{kind}");
            let line = material.lines().nth(3).unwrap();
            assert!(server.audit().iter().all(|record| !record.event.contains(line)));
            let read = ec2(&admin, "DescribeKeyPairs", &[("KeyName.1", kind), ("IncludePublicKey", "true")])
                .await
                .ok();
            assert_eq!(
                (read.xml("keyFingerprint"), read.xml("keyType")),
                (made.xml("keyFingerprint"), Some(kind))
            );
            assert!(read.xml("publicKey").unwrap().starts_with("ssh-"));
            assert!(!read.body.contains(line));
        }
        let refused = ec2(&admin, "CreateKeyPair", &[("KeyName", "rsa")]).await.refused();
        assert_eq!(refused, ("InvalidKeyPair.Duplicate".into(), "The keypair 'rsa' already exists.".into()));
        assert_eq!(
            ec2(&admin, "CreateKeyPair", &[("KeyName", " x")]).await.refused().0,
            "InvalidParameterValue"
        );
        let ppk = [("KeyName", "x"), ("KeyFormat", "ppk")];
        assert_eq!(ec2(&admin, "CreateKeyPair", &ppk).await.refused().0, "UnsupportedOperation");
    }
}
