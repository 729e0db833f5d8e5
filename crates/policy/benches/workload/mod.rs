//! A workload like that of a user of S3 with many policies: made up, the same one each time.

use serde_json::{Value, json};

/// A small generator of numbers that look random: the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const OBJECT_ACTIONS: [&str; 12] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
    "s3:GetObjectVersion",
    "s3:DeleteObjectVersion",
    "s3:GetObjectAcl",
    "s3:PutObjectAcl",
    "s3:AbortMultipartUpload",
    "s3:RestoreObject",
    "s3:GetObjectRetention",
];
const BUCKET_ACTIONS: [&str; 8] = [
    "s3:ListBucket",
    "s3:GetBucketLocation",
    "s3:ListBucketVersions",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:GetBucketVersioning",
    "s3:DeleteBucket",
    "s3:GetLifecycleConfiguration",
];
const OBJECT_PATTERNS: [&[&str]; 6] = [
    &["s3:GetObject"],
    &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    &["s3:Get*"],
    &["s3:*Object"],
    &["s3:PutObject*", "s3:GetObject*"],
    &["s3:Delete*", "s3:RestoreObject"],
];
const BUCKET_PATTERNS: [&[&str]; 4] = [
    &["s3:ListBucket"],
    &["s3:GetBucketLocation", "s3:GetBucketPolicy"],
    &["s3:GetBucket*"],
    &["s3:List*", "s3:GetBucketLocation"],
];
const TEAMS: [&str; 6] = ["app", "data", "logs", "team", "backup", "media"];
const STAGES: [&str; 5] = ["prod", "dev", "test", "eu", "us"];
const FOLDERS: [&str; 6] = ["in", "tmp", "reports/2026", "home/alice", "home/bob", "archive/a/b"];
const KEY_PATTERNS: [&str; 7] =
    ["*", "*", "in/*", "reports/2026/*", "home/${aws:username}/*", "*.csv", "reports/*/final.*"];

fn bucket(dice: &mut Dice) -> String {
    format!("{}-{}", dice.pick(&TEAMS), dice.pick(&STAGES))
}

fn bucket_pattern(dice: &mut Dice) -> String {
    let bucket = bucket(dice);
    if dice.percent(50) { bucket } else { format!("{}-*", bucket.split('-').next().unwrap()) }
}

/// A condition for about four statements in ten.
fn condition(dice: &mut Dice, of_bucket: bool) -> Option<Value> {
    Some(match dice.below(20) {
        0 | 1 => json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.0/24"]}}),
        2 => json!({"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/25", "2001:db8::/32"]}}),
        3 | 4 => json!({"Bool": {"aws:SecureTransport": "true"}}),
        5 | 6 if of_bucket => {
            json!({"StringLike": {"s3:prefix": ["reports/*", "home/${aws:username}/*", ""]}})
        }
        7 if of_bucket => {
            json!({"NumericLessThanEquals": {"s3:max-keys": "100"}, "StringEquals": {"s3:delimiter": "/"}})
        }
        5..=7 => {
            json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}, "Bool": {"aws:SecureTransport": "true"}})
        }
        _ => return None,
    })
}

fn statement(dice: &mut Dice) -> Value {
    let of_bucket = dice.percent(35);
    let condition = condition(dice, of_bucket);
    let actions = if of_bucket { dice.pick(&BUCKET_PATTERNS) } else { dice.pick(&OBJECT_PATTERNS) };
    let is_of_lists = condition.as_ref().is_some_and(|condition| condition.to_string().contains("\"s3:"));
    let resources: Vec<String> = (0..=dice.below(3))
        .map(|_| match of_bucket {
            true => format!("arn:aws:s3:::{}", bucket_pattern(dice)),
            false => format!("arn:aws:s3:::{}/{}", bucket_pattern(dice), dice.pick(&KEY_PATTERNS)),
        })
        .collect();
    let mut statement = json!({
        "Effect": if dice.percent(18) { "Deny" } else { "Allow" },
        "Action": if is_of_lists { &["s3:ListBucket"] } else { actions },
        "Resource": resources,
    });
    if let Some(condition) = condition {
        statement["Condition"] = condition;
    }
    statement
}

fn request(dice: &mut Dice) -> Value {
    let mut context = json!({
        "aws:username": dice.pick(&["alice", "alice", "bob"]),
        "aws:SourceIp": dice.pick(&["10.1.2.3", "192.0.2.77", "203.0.113.9", "198.51.100.5", "2001:db8::5"]),
        "aws:SecureTransport": dice.pick(&["true", "true", "true", "false"]),
    });
    let (action, resource) = if dice.percent(30) {
        (dice.pick(&BUCKET_ACTIONS), format!("arn:aws:s3:::{}", bucket(dice)))
    } else {
        let file = dice.pick(&["f.csv", "final.pdf", "x/y/z.bin"]);
        let folder = dice.pick(&FOLDERS);
        (dice.pick(&OBJECT_ACTIONS), format!("arn:aws:s3:::{}/{folder}/{file}", bucket(dice)))
    };
    if action == "s3:ListBucket" {
        context["s3:prefix"] = dice.pick(&["", "reports/2026/", "home/alice/x", "home/bob/x", "tmp/"]).into();
        context["s3:max-keys"] = dice.pick(&["10", "100", "1000"]).into();
        context["s3:delimiter"] = "/".into();
    }
    json!({"action": action, "resource": resource, "context": context})
}

/// Twenty policies of two to five statements on one user, and a thousand requests that the user makes.
pub(crate) fn made_up() -> Value {
    let mut dice = Dice(20_261_122);
    let policies: Vec<Value> = (0..20)
        .map(|_| {
            let statements: Vec<Value> = (0..2 + dice.below(4)).map(|_| statement(&mut dice)).collect();
            json!({"Version": "2012-10-17", "Statement": statements})
        })
        .collect();
    let requests: Vec<Value> = (0..1000).map(|_| request(&mut dice)).collect();
    json!({"principal": "arn:aws:iam::123456789012:user/alice", "policies": policies, "requests": requests})
}

/// Policies that are about other things: half about another service, half about other buckets.
pub(crate) fn unrelated(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|number| {
        let (action, resource) = match number % 2 {
            0 => (format!("service{number}:Get*"), "*".to_owned()),
            _ => ("s3:GetObject".to_owned(), format!("arn:aws:s3:::unrelated-{number}/*")),
        };
        json!({
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": action, "Resource": resource},
        })
    })
}
