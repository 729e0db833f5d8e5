//! The condition keys that AWS gives to requests of every service (`reference_policies_condition-keys`), and the two that
//! credentials of an instance carry everywhere. Those of one service are spelt where that service is.

use super::Key;

/// `aws:CalledVia`, multivalued.
pub const CALLED_VIA: Key<'static> = Key::from_static("aws:CalledVia");
/// `aws:CalledViaFirst`.
pub const CALLED_VIA_FIRST: Key<'static> = Key::from_static("aws:CalledViaFirst");
/// `aws:CalledViaLast`.
pub const CALLED_VIA_LAST: Key<'static> = Key::from_static("aws:CalledViaLast");
/// `aws:CurrentTime`.
pub const CURRENT_TIME: Key<'static> = Key::from_static("aws:CurrentTime");
/// `aws:Ec2InstanceSourcePrivateIPv4`.
pub const EC2_INSTANCE_SOURCE_PRIVATE_IPV4: Key<'static> =
    Key::from_static("aws:Ec2InstanceSourcePrivateIPv4");
/// `aws:Ec2InstanceSourceVpc`.
pub const EC2_INSTANCE_SOURCE_VPC: Key<'static> = Key::from_static("aws:Ec2InstanceSourceVpc");
/// `aws:EpochTime`.
pub const EPOCH_TIME: Key<'static> = Key::from_static("aws:EpochTime");
/// `aws:FederatedProvider`.
pub const FEDERATED_PROVIDER: Key<'static> = Key::from_static("aws:FederatedProvider");
/// `aws:MultiFactorAuthAge`.
pub const MULTI_FACTOR_AUTH_AGE: Key<'static> = Key::from_static("aws:MultiFactorAuthAge");
/// `aws:MultiFactorAuthPresent`.
pub const MULTI_FACTOR_AUTH_PRESENT: Key<'static> = Key::from_static("aws:MultiFactorAuthPresent");
/// `aws:PrincipalAccount`.
pub const PRINCIPAL_ACCOUNT: Key<'static> = Key::from_static("aws:PrincipalAccount");
/// `aws:PrincipalArn`.
pub const PRINCIPAL_ARN: Key<'static> = Key::from_static("aws:PrincipalArn");
/// `aws:PrincipalIsAWSService`.
pub const PRINCIPAL_IS_AWS_SERVICE: Key<'static> = Key::from_static("aws:PrincipalIsAWSService");
/// `aws:AssumedRoot`: whether the caller is a session of `AssumeRoot`.
pub const ASSUMED_ROOT: Key<'static> = Key::from_static("aws:AssumedRoot");
/// `aws:PrincipalOrgID`.
pub const PRINCIPAL_ORG_ID: Key<'static> = Key::from_static("aws:PrincipalOrgID");
/// `aws:PrincipalOrgPaths`, multivalued.
pub const PRINCIPAL_ORG_PATHS: Key<'static> = Key::from_static("aws:PrincipalOrgPaths");
/// `aws:PrincipalServiceName`.
pub const PRINCIPAL_SERVICE_NAME: Key<'static> = Key::from_static("aws:PrincipalServiceName");
/// `aws:PrincipalServiceNamesList`, multivalued.
pub const PRINCIPAL_SERVICE_NAMES_LIST: Key<'static> = Key::from_static("aws:PrincipalServiceNamesList");
/// `aws:PrincipalType`.
pub const PRINCIPAL_TYPE: Key<'static> = Key::from_static("aws:PrincipalType");
/// `aws:referer`.
pub const REFERER: Key<'static> = Key::from_static("aws:referer");
/// `aws:RequestedRegion`.
pub const REQUESTED_REGION: Key<'static> = Key::from_static("aws:RequestedRegion");
/// `aws:ResourceAccount`.
pub const RESOURCE_ACCOUNT: Key<'static> = Key::from_static("aws:ResourceAccount");
/// `aws:ResourceOrgID`.
pub const RESOURCE_ORG_ID: Key<'static> = Key::from_static("aws:ResourceOrgID");
/// `aws:ResourceOrgPaths`, multivalued.
pub const RESOURCE_ORG_PATHS: Key<'static> = Key::from_static("aws:ResourceOrgPaths");
/// `aws:SecureTransport`.
pub const SECURE_TRANSPORT: Key<'static> = Key::from_static("aws:SecureTransport");
/// `aws:SourceAccount`.
pub const SOURCE_ACCOUNT: Key<'static> = Key::from_static("aws:SourceAccount");
/// `aws:SourceArn`.
pub const SOURCE_ARN: Key<'static> = Key::from_static("aws:SourceArn");
/// `aws:SourceIdentity`.
pub const SOURCE_IDENTITY: Key<'static> = Key::from_static("aws:SourceIdentity");
/// `aws:SourceIp`.
pub const SOURCE_IP: Key<'static> = Key::from_static("aws:SourceIp");
/// `aws:SourceOrgID`.
pub const SOURCE_ORG_ID: Key<'static> = Key::from_static("aws:SourceOrgID");
/// `aws:SourceOrgPaths`, multivalued.
pub const SOURCE_ORG_PATHS: Key<'static> = Key::from_static("aws:SourceOrgPaths");
/// `aws:SourceVpc`.
pub const SOURCE_VPC: Key<'static> = Key::from_static("aws:SourceVpc");
/// `aws:SourceVpcArn`.
pub const SOURCE_VPC_ARN: Key<'static> = Key::from_static("aws:SourceVpcArn");
/// `aws:SourceVpce`.
pub const SOURCE_VPCE: Key<'static> = Key::from_static("aws:SourceVpce");
/// `aws:TagKeys`, multivalued.
pub const TAG_KEYS: Key<'static> = Key::from_static("aws:TagKeys");
/// `aws:TokenIssueTime`.
pub const TOKEN_ISSUE_TIME: Key<'static> = Key::from_static("aws:TokenIssueTime");
/// `aws:UserAgent`.
pub const USER_AGENT: Key<'static> = Key::from_static("aws:UserAgent");
/// `aws:userid`.
pub const USER_ID: Key<'static> = Key::from_static("aws:userid");
/// `aws:username`.
pub const USERNAME: Key<'static> = Key::from_static("aws:username");
/// `aws:ViaAWSService`.
pub const VIA_AWS_SERVICE: Key<'static> = Key::from_static("aws:ViaAWSService");
/// `aws:VpcSourceIp`.
pub const VPC_SOURCE_IP: Key<'static> = Key::from_static("aws:VpcSourceIp");
/// `aws:VpceAccount`.
pub const VPCE_ACCOUNT: Key<'static> = Key::from_static("aws:VpceAccount");
/// `aws:VpceOrgID`.
pub const VPCE_ORG_ID: Key<'static> = Key::from_static("aws:VpceOrgID");
/// `aws:VpceOrgPaths`, multivalued.
pub const VPCE_ORG_PATHS: Key<'static> = Key::from_static("aws:VpceOrgPaths");
/// `ec2:RoleDelivery`.
pub const EC2_ROLE_DELIVERY: Key<'static> = Key::from_static("ec2:RoleDelivery");
/// `ec2:SourceInstanceArn`.
pub const EC2_SOURCE_INSTANCE_ARN: Key<'static> = Key::from_static("ec2:SourceInstanceArn");
