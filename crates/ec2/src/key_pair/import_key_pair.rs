//! `ec2:ImportKeyPair`.

use daypass_core::model::ec2::{ImportKeyPairRequest, ImportKeyPairResult, errors, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, Fault, operation};

use super::{KeyPair, check_name, material};
use crate::resource::{Home, Resource};
use crate::tag;

operation!(IMPORT_KEY_PAIR, ops::ImportKeyPair, checks, run);

fn checks(cx: &Cx, _: &Tx<'_>, input: &ImportKeyPairRequest) -> Result<Checks, StoreError> {
    let (name, tags) = (&input.key_name, &input.tag_specifications);
    Ok(tag::ask_to_make_named(cx, "ec2:ImportKeyPair", KeyPair::KIND, name, tags, |check| check))
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: ImportKeyPairRequest) -> Result<ImportKeyPairResult, Error> {
    let home = Home::of(cx);
    check_name(tx, &home, &input.key_name)?;
    let tags = tag::of_new(&input.tag_specifications, KeyPair::KIND, &[KeyPair::KIND])?;
    let public = material::read(&input.public_key_material.0, &input.key_name).map_err(|_| {
        Fault::new(&errors::INVALID_KEY_FORMAT, "Key is not in valid OpenSSH public key format")
    })?;
    let pair = KeyPair {
        home,
        id: cx.ids().resource_id(KeyPair::KIND.prefix),
        name: input.key_name,
        kind: public.kind,
        fingerprint: public.fingerprint,
        public_key: public.text,
        created: cx.now(),
        tags,
    };
    tx.put(&pair)?;
    Ok(ImportKeyPairResult {
        key_fingerprint: Some(pair.fingerprint.clone()),
        key_name: Some(pair.name.clone()),
        key_pair_id: Some(pair.id.clone()),
        tags: tag::some(&pair.tags),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{ec2, server};

    /// Base64 of `ssh-ed25519 … acceptance`.
    fn material(text: &str) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(text)
    }

    #[tokio::test]
    async fn keeps_the_key_that_it_is_given() {
        let server = server().await;
        let admin = server.administrator().await;
        let key =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8ymlH6xz0Vd7yXgvlqCr0mHPmpSBk6E1eTnf6bYJ0q acceptance";
        let ask = [("KeyName", "k"), ("PublicKeyMaterial", &material(key))];
        let made = ec2(&admin, "ImportKeyPair", &ask).await.ok();
        assert_eq!(made.xml("keyName"), Some("k"));
        let read =
            ec2(&admin, "DescribeKeyPairs", &[("KeyName.1", "k"), ("IncludePublicKey", "true")]).await.ok();
        assert_eq!(read.xml("publicKey"), Some(key));
        assert_eq!(read.xml("keyPairId"), made.xml("keyPairId"));
        let bad = [("KeyName", "bad"), ("PublicKeyMaterial", &material("ssh-rsa nothing"))];
        let refused = ec2(&admin, "ImportKeyPair", &bad).await.refused();
        assert_eq!(
            refused,
            ("InvalidKey.Format".into(), "Key is not in valid OpenSSH public key format".into())
        );
    }
}
