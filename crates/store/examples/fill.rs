//! Fills a server's folder with roles, for `bench/scale.py`: `fill DATA FIRST COUNT ATTACHMENTS <ARNS`. Roles of the first
//! account, `role-FIRST` and on, get so many of the managed policies whose ARNs stand on the standard input. No server may
//! run on the folder.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool of a benchmark may stop where its input is wrong"
)]

use daypass_store::records::{Account, Indexed as _, Role};
use daypass_store::{Read as _, Store, StoreError, TransactError};
use serde_json::json;
use std::io::BufRead as _;
use std::path::Path;

/// So many roles are written at once.
const AT_ONCE: usize = 200;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().expect("the folder is named");
    let mut number = || arguments.next().and_then(|number| number.parse::<usize>().ok()).expect("a number");
    let (first, count, attachments) = (number(), number(), number());
    let arns: Vec<String> = std::io::stdin().lock().lines().map(Result::unwrap).collect();
    let store = Store::open(Path::new(&data)).unwrap();
    let accounts = store.read(|tx| tx.all::<Account>(&Account::all())).unwrap();
    let account = &accounts.first().expect("the server made its account").id;
    for begin in (first..first + count).step_by(AT_ONCE) {
        let roles: Vec<Role> = (begin..(begin + AT_ONCE).min(first + count))
            .map(|number| role(account.as_str(), number, &arns, attachments))
            .collect();
        let saved: Result<(), TransactError<StoreError>> =
            store.transact(|tx| roles.iter().try_for_each(|role| role.save(tx))).await;
        saved.unwrap();
    }
}

/// Neighbours have other policies, so that each policy is attached to as many roles as any other.
fn role(account: &str, number: usize, arns: &[String], attachments: usize) -> Role {
    let attached: Vec<&String> =
        arns.iter().cycle().skip(number * 7 % arns.len()).take(attachments).collect();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    serde_json::from_value(json!({
        "account": account,
        "path": "/",
        "name": format!("role-{number:07}"),
        "id": format!("AROA{number:016}"),
        "created": 1_790_000_000_000_i64,
        "trust_policy": trust,
        "max_session_seconds": 3600,
        "policies": {"attached": attached},
    }))
    .unwrap()
}
