//! The cases: a statement, or after `!` a whole document.

use daypass_policy::check::Code::{self, *};
use daypass_policy::check::{PolicyType, ResourceType};

pub(crate) struct Case {
    pub(crate) code: Code,
    pub(crate) policy: PolicyType,
    /// Has this finding …
    pub(crate) has: &'static str,
    /// … and these.
    pub(crate) also: &'static [Code],
    /// Has no findings.
    pub(crate) has_not: &'static str,
}

const ID: PolicyType = PolicyType::Identity;
const RES: PolicyType = PolicyType::Resource(None);
const TRUST: PolicyType = PolicyType::Resource(Some(ResourceType::RoleTrust));
const BUCKET: PolicyType = PolicyType::Resource(Some(ResourceType::S3Bucket));
const SCP: PolicyType = PolicyType::ServiceControl;
const RCP: PolicyType = PolicyType::ResourceControl;

macro_rules! cases {
    ($($code:ident $policy:ident $has:literal $([$($also:ident)*])? $has_not:literal)*) => {
        pub(crate) const CASES: &[Case] = &[$(Case {
            code: $code,
            policy: $policy,
            has: $has,
            also: &[$($($also),*)?],
            has_not: $has_not,
        }),*];
    };
}

cases! {
// The document and its elements.
JsonSyntaxError ID r#"!{"Version": "2012-10-17" "Statement": []}"#
    r#"!{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
JsonSyntaxError ID r#"{"Effect": "Deny", "Effect": "Deny", "Action": "*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#
DataTypeMismatch ID r#"{"Effect": "Deny", "Action": 1, "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#
DataTypeMismatch ID r#"!{"Version": 2012, "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
    r#"!{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
DataTypeMismatch ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": {}}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": false}}}"#
InvalidVersion ID r#"!{"Version": "2012-10-18", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
    r#"!{"Version": "2008-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
MissingVersion ID r#"!{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
    r#"!{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
MissingStatement ID r#"!{"Version": "2012-10-17"}"#
    r#"!{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}"#
MissingStatement ID r#"!{"Version": "2012-10-17", "Statement": []}"#
    r#"!{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}"#
InvalidPolicyElement ID r#"{"Effect": "Deny", "Actions": "*", "Action": "*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#
InvalidEffect ID r#"{"Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#
MissingEffect ID r#"{"Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#
MissingAction ID r#"{"Effect": "Allow", "Resource": "*"}"#
    r#"{"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"}"#
MissingResource ID r#"{"Effect": "Allow", "Action": "s3:GetObject"}"#
    r#"{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::b"}"#
MissingResource RES r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}"#
    r#"{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}"#
MissingPrincipal RES r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#
UnsupportedElementCombination ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "NotAction": "s3:PutObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
UniqueSidsRequired ID r#"{"Sid": "a", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}, {"Sid": "a", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}"#
    r#"{"Sid": "a", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}, {"Sid": "b", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}"#
UniqueSidsRecommended BUCKET r#"{"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, {"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}"#
    r#"{"Sid": "a", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, {"Sid": "b", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}"#
UnsupportedSid ID r#"{"Sid": "a b", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Sid": "ab", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
EmptySidValue ID r#"{"Sid": "", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Sid": "a", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
EmptyArrayAction ID r#"{"Effect": "Deny", "Action": [], "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": ["s3:GetObject"], "Resource": "*"}"#
EmptyArrayResource ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": []}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": ["*"]}"#
EmptyArrayPrincipal RES r#"{"Effect": "Deny", "Principal": {"AWS": []}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": ["111122223333"]}, "Action": "s3:GetObject", "Resource": "*"}"#
EmptyObjectPrincipal RES r#"{"Effect": "Deny", "Principal": {}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}"#
EmptyObjectCondition ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": {}}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#

// Actions.
InvalidAction ID r#"{"Effect": "Deny", "Action": "s3:GetObjekt", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "S3:getobject", "Resource": "*"}"#
InvalidAction ID r#"{"Effect": "Deny", "Action": "s3:Fetch*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "s3:?et*Acl", "Resource": "*"}"#
InvalidAction ID r#"{"Effect": "Deny", "Action": "GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#
InvalidServiceInAction ID r#"{"Effect": "Deny", "Action": "s33:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
UnsupportedActionInPolicy BUCKET r#"{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "arn:aws:s3:::b/*"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#
UnsupportedActionInPolicy BUCKET r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::b"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:List*", "Resource": "arn:aws:s3:::b"}"#
UnsupportedActionInPolicy TRUST r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject"}"#
    r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}"#
WildcardInServiceName ID r#"{"Effect": "Deny", "Action": "*code*:List", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "codebuild:List*", "Resource": "*"}"#
WildcardInServiceName ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:*:::b"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*"}"#
RedundantAction ID r#"{"Effect": "Deny", "Action": ["iam:Get*", "iam:GetUser"], "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": ["iam:Get*", "iam:*CredentialReport"], "Resource": "*"}"#
RedundantAction ID r#"{"Effect": "Deny", "Action": ["s3:GetObject", "s3:getobject"], "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}"#

// Resources.
InvalidArnPrefix ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "b/key"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/key"}"#
MissingArnField ID r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:111122223333"}"#
    r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*"}"#
InvalidPartition ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:amazon:s3:::b/key"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws-cn:s3:::b/key"}"#
InvalidArnServiceCase ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:S3:::b/key"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/key"}"#
InvalidService ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s33:::b/key"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/key"}"#
InvalidArnResource ID r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam::111122223333:roles/web"}"#
    r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam::111122223333:role/web"}"#
ArnRegionNotAllowed ID r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam:us-east-1:111122223333:role/web"}"#
    r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam:*:111122223333:role/web"}"#
MissingArnRegion ID r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs::111122223333:q"}"#
    r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:111122223333:q"}"#
InvalidArnRegion ID r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-9:111122223333:q"}"#
    r#"{"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-*:111122223333:q"}"#
ArnAccountNotAllowed ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3::111122223333:b/key"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/key"}"#
MissingArnAccount ID r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam:::role/web"}"#
    r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam::*:role/web"}"#
InvalidArnAccount ID r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": "arn:aws:iam::1111:role/web"}"#
    r#"{"Effect": "Deny", "Action": "iam:GetPolicy", "Resource": "arn:aws:iam::aws:policy/ReadOnlyAccess"}"#
UnsupportedResourceArnInPolicy BUCKET r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:kms:us-east-1:111122223333:key/1"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}"#

// Principals.
UnsupportedPrincipal ID r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
InvalidPrincipalFormat RES r#"{"Effect": "Deny", "Principal": "111122223333", "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#
InvalidPrincipalKey RES r#"{"Effect": "Deny", "Principal": {"Aws": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}"#
UnsupportedWildcardInPrincipal RES r#"{"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "*"}"#
InvalidRoleReference RES r#"{"Effect": "Deny", "Principal": {"AWS": "AROAIOSFODNN7EXAMPLE"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:role/web"}, "Action": "s3:GetObject", "Resource": "*"}"#
InvalidUserReference RES r#"{"Effect": "Deny", "Principal": {"AWS": "AIDAIOSFODNN7EXAMPLE"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/a"}, "Action": "s3:GetObject", "Resource": "*"}"#
InvalidServicePrincipalFormat RES r#"{"Effect": "Deny", "Principal": {"Service": "Cloudfront"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"Service": "delivery.logs.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "*"}"#
InvalidServicePrincipalFormat ID r#"{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "ec2.amazonaws.com"}}}"#
    r#"{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}}"#
FederatedPrincipalNotSupported BUCKET r#"{"Effect": "Deny", "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/p"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}"#
AllowWithNotPrincipal RES r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}"#
RestrictAccessToServicePrincipal RES r#"{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}"#
RecommendedConditionKeyForServicePrincipal RES r#"{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceOwner": "111122223333"}}}"#
    r#"{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}"#
UnsupportedConditionKeyForServicePrincipal RES r#"{"Effect": "Deny", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#

// Trust.
RoleTrustPolicySyntaxErrorNotprincipal TRUST r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}"#
RoleTrustPolicyUnsupportedWildcardInPrincipal TRUST r#"{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}"#
    r#"{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}"#
RoleTrustPolicySyntaxErrorResource TRUST r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}"#
InvalidFederatedPrincipalSyntaxInRoleTrustPolicy TRUST r#"{"Effect": "Deny", "Principal": {"Federated": "provider"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#
    r#"{"Effect": "Deny", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/idp.example.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#
MismatchedActionForPrincipal TRUST r#"{"Effect": "Deny", "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/p"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#
    r#"{"Effect": "Deny", "Principal": {"Federated": "arn:aws:iam::111122223333:saml-provider/p"}, "Action": "sts:AssumeRoleWithSAML"}"#
MissingActionForRolesAnywhereTrustPolicy TRUST r#"{"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": "sts:AssumeRole"}"#
    r#"{"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}"#
MissingActionForConditionKey TRUST r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:SourceIdentity": "a"}}}"#
    r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Condition": {"StringEquals": {"sts:SourceIdentity": "a"}}}"#
MissingConditionKeyForOidcPrincipal TRUST r#"{"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#
    r#"{"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"accounts.google.com:aud": "app"}}}"#
MissingGithubRepoConditionKey TRUST r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}"#
    r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:o/r:ref:refs/heads/main"}}}"#
SpecificGithubRepoAndBranchRecommended TRUST r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:o/r:*"}}}"#
    r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:o/r:*", "token.actions.githubusercontent.com:ref": "refs/heads/main"}}}"#
RedundantPrincipalInRoleTrustPolicy TRUST r#"{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/p/web", "arn:aws:sts::111122223333:assumed-role/web/s"]}, "Action": "sts:AssumeRole"}"#
    r#"{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/p/web", "arn:aws:sts::111122223333:assumed-role/other/s"]}, "Action": "sts:AssumeRole"}"#
ForAnyValueWithAudienceClaimType TRUST r#"{"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"ForAnyValue:StringEquals": {"accounts.google.com:aud": "app"}}}"#
    r#"{"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"accounts.google.com:aud": ["app", "web"]}}}"#

// Operators and values.
InvalidConditionOperator ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqual": {"aws:username": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:username": "a"}}}"#
NullWithIfExists ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NullIfExists": {"aws:username": "true"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:username": "true"}}}"#
NullWithQualifier ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:Null": {"aws:TagKeys": "true"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:TagKeys": "true"}}}"#
DuplicateKeysWithDifferentCase ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a", "aws:UserName": "b"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a"}, "StringLike": {"aws:UserName": "b"}}}"#
InvalidConditionDataType ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": ["1", 2]}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": [1, 2]}}}"#
InvalidConditionMultipleBoolean ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": ["true", "false"]}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": ["false"]}}}"#
EmptyArrayCondition ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": []}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": ["a"]}}}"#
EmptyArrayConditionForAllValues ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": []}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}}"#
EmptyArrayConditionForAnyValue ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": []}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}}"#
EmptyArrayConditionIfExists ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:username": []}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:username": ["a"]}}}"#
TypeMismatchBoolean ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "no"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "False"}}}"#
TypeMismatchNumber ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": "1h"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": "1.5"}}}"#
TypeMismatchDate ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "tomorrow"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}}"#
InvalidDateValue ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "1767225600"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}}"#
TypeMismatchString ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"BinaryEquals": {"aws:username": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"BinaryEquals": {"aws:username": "YQ=="}}}"#
TypeMismatchIpRange ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0-255"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "2001:DB8:1234:5678::/64"}}}"#
ImproveIpRange ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.7/24"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.7"}}}"#
PrivateIpAddress ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "11.0.0.0/8"}}}"#
PrivateNotIpAddress ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.168.1.1"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.1"}}}"#
PrivateIpAddressSubset ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["172.16.0.0/12", "192.0.2.1"]}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["172.32.0.0/12", "192.0.2.1"]}}}"#
PrivateNotIpAddressSubset ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": ["fc00::/7", "192.0.2.1"]}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": ["2001:db8::/32", "192.0.2.1"]}}}"#
WildcardWithoutLikeOperator ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "a*"}}}"#
RedundantConditionValueNum ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": ["2700", "3600"]}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}}"#
EquivalentToNullFalse ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:username": "a*"}}}"#
EquivalentToNullTrue ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotLike": {"aws:username": "*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotLike": {"aws:username": "a*"}}}"#
RedundantKeyDueToWildcardInCondition ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLikeIfExists": {"aws:username": "*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLikeIfExists": {"aws:username": "a*"}}}"#
RedundantStatementDueToWildcardInCondition ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringNotLike": {"aws:TagKeys": "*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringNotLike": {"aws:TagKeys": "a*"}}}"#

// Variables.
InvalidVariableForOperator ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:MultiFactorAuthAge": "${aws:username}"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "${aws:PrincipalTag/name}"}}}"#
MissingBraceInVariable ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}"#
MissingQuoteInVariable ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username, 'x}"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username, 'x y'}"}"#
UnsupportedSpaceInVariable ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws: username}"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${*}"}"#
EmptyVariable ID r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/x${ }"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/x${aws:username}"}"#
VariableUnsupportedInElement ID r#"{"Effect": "Deny", "Action": "s3:${aws:username}", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}"#
VariableUnsupportedInVersion ID r#"!{"Version": "2008-10-17", "Statement": {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}}"#
    r#"!{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}}"#
VariableUsageTooPermissive ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalTag/org}"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}}"#
VariableUsageTooPermissive ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": "AROA${aws:username}"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:userid": "AROAEXAMPLE:${aws:username}"}}}"#
WildcardUsageTooPermissive ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#
WildcardUsageTooPermissive ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:userid": "AROA*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:userid": ["AROAEXAMPLE:*", "*:i-0abc"]}}}"#

// Condition keys.
InvalidConditionKeyFormat ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"username": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"AWS:USERNAME": "a"}}}"#
InvalidGlobalConditionKey ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:nickname": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a"}}}"#
UnsupportedGlobalConditionKey ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnEquals": {"aws:ARN": "arn:aws:iam::111122223333:user/a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/a"}}}"#
InvalidService ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"s33:prefix": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"idp.example.com:sub": "a"}}}"#
InvalidServiceConditionKey ID r#"{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringEquals": {"s3:suffix": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringNotLike": {"s3:prefix": "a"}}}"#
MissingTagKeyInCondition ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}"#
MissingQualifier ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:TagKeys": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}}}"#
ForAllValuesWithSingleValuedKey ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:username": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}}"#
TypeMismatch ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SecureTransport": "false"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#
StringLikeOperatorWithArnConditionKeys ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/web*"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/web*"}}}"#
UntrustworthyConditionKey ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:Referer": "a"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:username": "a"}}}"#
MissingPairedConditionKeys ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:SourceVpc": "vpc-12345678"}}}"#
DynamodbAttributesWithoutSelect ID r#"{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": "a"}}}"#
    r#"{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": {"ForAllValues:StringEquals": {"dynamodb:Attributes": "a"}, "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"}}}"#
S3PrefixInNegativeContext ID r#"{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "private/*"}}}"#
    r#"{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringNotLike": {"s3:prefix": "public/*"}}}"#
S3PrefixInNegativeContext ID r#"{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringNotLike": {"s3:prefix": "private/*"}}}"#
    r#"{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "public/*"}}}"#
UseConditionKeyOnlyWithSupportedServices ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:VpceAccount": "111122223333"}}}"#
    r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:VpceAccount": "111122223333"}}}"#
IrrelevantConditionKeyInPolicy BUCKET r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"s3:ResourceAccount": "111122223333"}}}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"s3:authType": "POST"}}}"#
InvalidRegion ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-11"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}"#
InvalidVpcFormat ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-11223344556677889"}}}"#
InvalidVpceFormat ID r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpc-12345678"}}}"#
    r#"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-12345678"}}}"#
InvalidKmsKeyValue ID r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "alias/a"}}}"#
    r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*", "Condition": {"StringEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:us-east-1:111122223333:key/1"}}}"#
UnsupportedActionForConditionKey ID r#"{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "a"}}}"#
    r#"{"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "*", "Condition": {"StringLikeIfExists": {"s3:prefix": "a"}}}"#
DenyWithUnsupportedTagConditionKeyForService ID r#"{"Effect": "Deny", "Action": ["ec2:StopInstances", "sts:GetCallerIdentity"], "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
    r#"{"Effect": "Deny", "Action": "ec2:StopInstances", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
AllowWithUnsupportedTagConditionKeyForService ID r#"{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
    r#"{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
DenyNotActionWithUnsupportedTagConditionKeyForService ID r#"{"Effect": "Deny", "NotAction": "ec2:StopInstances", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
    r#"{"Effect": "Deny", "NotAction": "ec2:StopInstances", "Resource": "*", "Condition": {"StringNotEquals": {"aws:ResourceTag/a": "b"}}}"#
AllowNotActionWithUnsupportedTagConditionKeyForService ID r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}"#
    r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#

// Roles that are passed and made.
PassRoleWithStarInResource ID r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/*"}"#
    r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/Service*"}"#
PassRoleWithStarInResource ID r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}"#
PassRoleWithStarInActionAndResource ID r#"{"Effect": "Allow", "Action": "iam:Pass*", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}"#
PassRoleWithStarInResourceAndNotAction ID r#"{"Effect": "Allow", "NotAction": "iam:Create*", "Resource": "*"}"#
    r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#
PassRoleWithNotResource ID r#"{"Effect": "Allow", "Action": "iam:PassRole", "NotResource": "arn:aws:iam::111122223333:role/admin"}"#
    r#"{"Effect": "Deny", "Action": "iam:PassRole", "NotResource": "arn:aws:iam::111122223333:role/web"}"#
PassRoleWithStarInActionAndNotResource ID r#"{"Effect": "Allow", "Action": "iam:Pass*", "NotResource": "arn:aws:iam::111122223333:role/admin"}"#
    r#"{"Effect": "Allow", "Action": "iam:Get*", "NotResource": "arn:aws:iam::111122223333:role/admin"}"#
PassRoleWithNotActionAndNotResource ID r#"{"Effect": "Allow", "NotAction": "iam:Create*", "NotResource": "arn:aws:iam::111122223333:role/admin"}"#
    r#"{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:iam::111122223333:role/admin"}"#
CreateSlrWithStarInResource ID r#"{"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/*"}"#
CreateSlrWithStarInActionAndResource ID r#"{"Effect": "Allow", "Action": "iam:Create*", "Resource": "*"}"#
    r#"{"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}"#
CreateSlrWithStarInResourceAndNotAction ID r#"{"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "*"}"#
    r#"{"Effect": "Allow", "NotAction": ["iam:PassRole", "iam:CreateServiceLinkedRole"], "Resource": "*"}"#
CreateSlrWithNotResource ID r#"{"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "NotResource": "arn:aws:iam::*:role/web"}"#
    r#"{"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/*"}"#
CreateSlrWithStarInActionAndNotResource ID r#"{"Effect": "Allow", "Action": "iam:Create*", "NotResource": "arn:aws:iam::*:role/web"}"#
    r#"{"Effect": "Allow", "Action": "iam:CreateUser", "NotResource": "arn:aws:iam::*:user/web"}"#
CreateSlrWithNotActionAndNotResource ID r#"{"Effect": "Allow", "NotAction": "iam:PassRole", "NotResource": "arn:aws:iam::*:role/web"}"#
    r#"{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:iam::*:role/web"}"#

// What is written twice.
RedundantResource ID r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": ["arn:aws:iam::111122223333:role/jane-admin", "arn:aws:iam::111122223333:role/jane*"]}"#
    r#"{"Effect": "Deny", "Action": "iam:GetRole", "Resource": ["arn:aws:iam::111122223333:role/Jane-admin", "arn:aws:iam::111122223333:role/jane*"]}"#
RedundantStatement ID r#"{"Sid": "a", "Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}, {"Effect": "Deny", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["*"]}"#
    r#"{"Sid": "a", "Effect": "Deny", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}, {"Effect": "Deny", "Action": "s3:PutObject", "Resource": ["*"]}"#

// Organizations.
ScpSyntaxErrorActionWildcard SCP r#"{"Effect": "Deny", "Action": "iam:*Role", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "iam:Create*", "Resource": "*"}"#
ScpSyntaxErrorPrincipal SCP r#"{"Effect": "Deny", "Principal": "*", "Action": "iam:CreateUser", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}"#
RcpSyntaxErrorPrincipal RCP r#"{"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Resource": "*"}"#
RcpSyntaxErrorAllow RCP r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::b"}"#
    r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#
RcpSyntaxErrorNotaction RCP r#"{"Effect": "Deny", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#
RcpSyntaxErrorAction RCP r#"{"Effect": "Deny", "Principal": "*", "Action": "ec2:*", "Resource": "*"}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}"#
RcpMissingRelatedPrincipalConditionKey RCP r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}"#
RcpMissingRelatedServicePrincipalConditionKey RCP r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}, "Null": {"aws:SourceAccount": "false"}}}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}, "Null": {"aws:SourceAccount": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}}"#
RcpMissingServiceConditionKeyNullCheck RCP r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}}"#
    r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-a1b2c3d4e5"}, "Null": {"aws:SourceArn": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}}"#
}
