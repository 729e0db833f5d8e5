//! `ec2:DescribeKeyPairs`.

use daypass_core::model::ec2::{DescribeKeyPairsRequest, DescribeKeyPairsResult, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Checks, Cx, Error, operation};

use super::KeyPair;
use crate::filter::{self, Field, Listed as _, one};
use crate::resource::{Home, Resource, ask_all};

operation!(DESCRIBE_KEY_PAIRS, ops::DescribeKeyPairs, checks, run);

const FILTERS: &[Field<KeyPair>] = &[
    ("fingerprint", |k| one(&k.fingerprint)),
    ("key-name", |k| one(&k.name)),
    ("key-pair-id", |k| one(&k.id)),
];

fn checks(cx: &Cx, _: &Tx<'_>, _: &DescribeKeyPairsRequest) -> Result<Checks, StoreError> {
    Ok(ask_all(cx, "ec2:DescribeKeyPairs").into())
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: DescribeKeyPairsRequest) -> Result<DescribeKeyPairsResult, Error> {
    let mut pairs = KeyPair::list(tx, &Home::of(cx))?;
    if let Some(name) = input.key_names.iter().find(|name| !pairs.iter().any(|p| p.name == **name)) {
        return Err(KeyPair::unknown(name).into());
    }
    if let Some(id) = input.key_pair_ids.iter().find(|id| !pairs.iter().any(|p| p.id == **id)) {
        return Err((KeyPair::KIND.not_found)(id).into());
    }
    let any = input.key_names.is_empty() && input.key_pair_ids.is_empty();
    pairs.retain(|p| any || input.key_names.contains(&p.name) || input.key_pair_ids.contains(&p.id));
    let mut pairs = filter::select(pairs, &input.filters, FILTERS)?;
    pairs.sort_by_cached_key(|pair| pair.order());
    let with_public_key = input.include_public_key == Some(true);
    let pairs = pairs.iter().map(|pair| pair.describe_as(with_public_key)).collect();
    Ok(DescribeKeyPairsResult { key_pairs: Some(pairs) })
}
