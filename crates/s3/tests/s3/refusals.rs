//! Every operation that is implemented refuses those who have no right, and changes nothing for them.

use crate::support::{Account, ask};

/// A document that each operation which wants one takes.
fn document(operation: &str) -> &'static str {
    match operation {
        "PutBucketAccelerateConfiguration" => {
            "<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>"
        }
        "PutBucketAcl" => "<AccessControlPolicy/>",
        "PutBucketCors" => {
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"
        }
        "PutBucketEncryption" => {
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        }
        "PutBucketLifecycleConfiguration" => {
            "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"
        }
        "PutBucketLogging" => "<BucketLoggingStatus/>",
        "PutBucketOwnershipControls" => {
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"
        }
        "PutBucketPolicy" => "{}",
        "PutBucketRequestPayment" => {
            "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"
        }
        "PutBucketTagging" => "<Tagging><TagSet/></Tagging>",
        "PutBucketVersioning" => {
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        }
        "PutBucketWebsite" => {
            "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>"
        }
        "PutPublicAccessBlock" => "<PublicAccessBlockConfiguration/>",
        _ => "",
    }
}

#[tokio::test]
async fn nobody_does_anything_without_a_right() {
    let account = Account::with_bucket("b-1").await;
    let strangers = [
        account.server.user("nobody", &[]).await,
        account.stranger("eve", &[("all", crate::buckets::ALL)]).await,
        account.server.anonymous(),
    ];
    for entry in daypass_s3::OPERATIONS {
        let operation = entry.operation();
        let path = match operation.http.path {
            "/" => "/",
            "/{Bucket}" if operation.name == "CreateBucket" => "/b-2",
            "/{Bucket}" => "/b-1",
            _ => continue,
        };
        for (number, stranger) in strangers.iter().enumerate() {
            // An account's own right to make and list buckets is no right to those of others.
            if number == 1 && ["CreateBucket", "ListBuckets"].contains(&operation.name) {
                continue;
            }
            let body = document(operation.name);
            let before = (account.server.gate.state().store.revision(), account.server.audit().len());
            let answer = ask(stranger, operation.http.method, path, operation.http.query, body).await;
            assert_eq!(answer.status, 403, "{}: {}", operation.name, answer.body);
            let after = (account.server.gate.state().store.revision(), account.server.audit().len());
            assert_eq!(after, (before.0, before.1 + 1), "{}", operation.name);
            let notes = account.server.gate.state().objects.notes(0, 1000).await.unwrap();
            assert!(notes.is_empty(), "{} changed objects", operation.name);
            assert_eq!(account.server.audit().last().unwrap().event_name, operation.name);
        }
    }
}
